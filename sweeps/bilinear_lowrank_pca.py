"""Sweep `bilinear_lowrank_pca`: `python sweeps/bilinear_lowrank_pca.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("bilinear_lowrank_pca")

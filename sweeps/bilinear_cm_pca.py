"""Sweep `bilinear_cm_pca`: `python sweeps/bilinear_cm_pca.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("bilinear_cm_pca")

"""Sweep `pls_bilinear`: `python sweeps/pls_bilinear.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("pls_bilinear")

"""Sweep `bilinear_cm_pls`: `python sweeps/bilinear_cm_pls.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("bilinear_cm_pls")

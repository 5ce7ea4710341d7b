"""Sweep `bilinear_cm`: `python sweeps/bilinear_cm.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("bilinear_cm")

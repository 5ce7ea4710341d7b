"""Sweep `bilinear_lowrank`: `python sweeps/bilinear_lowrank.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("bilinear_lowrank")

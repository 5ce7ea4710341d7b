"""Sweep `kernel_ridge`: `python sweeps/kernel_ridge.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("kernel_ridge")

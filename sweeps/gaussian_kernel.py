"""Sweep `gaussian_kernel`: `python sweeps/gaussian_kernel.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("gaussian_kernel")

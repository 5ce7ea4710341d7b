"""Sweep `exponential_decay`: `python sweeps/exponential_decay.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("exponential_decay")

"""Sweep `cge`: `python sweeps/cge.py --preset quick`, here or through `ray submit`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("cge")

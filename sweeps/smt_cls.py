"""Sweep `smt_cls`: `python sweeps/smt_cls.py --preset quick`, here or through `ray submit`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("smt_cls")

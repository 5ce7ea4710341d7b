"""Sweep `pls_twostep`: `python sweeps/pls_twostep.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("pls_twostep")

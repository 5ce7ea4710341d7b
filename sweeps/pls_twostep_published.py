"""Sweep `pls_twostep_published`: `python sweeps/pls_twostep_published.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("pls_twostep_published")

"""Sweep `pls_mlp`: `python sweeps/pls_mlp.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("pls_mlp")

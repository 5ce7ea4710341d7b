"""Sweep `mlp_coords`: `python sweeps/mlp_coords.py --preset quick`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("mlp_coords")

"""Sweep `geography+genes`: `python sweeps/geography_genes.py`, here or through `ray submit`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("geography+genes")

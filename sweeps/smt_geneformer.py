"""Sweep `smt_geneformer`: this script takes the options of `gx2c sweep`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("smt_geneformer")

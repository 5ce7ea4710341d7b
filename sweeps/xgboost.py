"""Sweep `xgboost`: `python sweeps/xgboost.py --preset quick`; needs the extra `trees`."""

from sweeps.cli import sweep_script

if __name__ == "__main__":
    sweep_script("xgboost")

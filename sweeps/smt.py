"""Sweep `smt`: `python sweeps/smt.py --preset quick`, here or through `ray submit`."""

import sys
from pathlib import Path

# Python puts a script's folder first: each room in it would shadow a library of that name
_FOLDER = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _FOLDER]

from sweeps.cli.app import main  # noqa: E402

if __name__ == "__main__":
    main(["sweep", "smt", *sys.argv[1:]])

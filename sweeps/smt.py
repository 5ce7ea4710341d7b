"""Sweep the SMT: `python sweeps/smt.py --preset quick`, here or through `ray submit`.

It learns what geography leaves; with --alone, the connectome, as published.
"""

import sys
from pathlib import Path

# Python puts a script's folder first: each room in it would shadow a library of that name
_FOLDER = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _FOLDER]

from sweeps.cli.app import main  # noqa: E402

ALONE = "--alone"

if __name__ == "__main__":
    model = "smt" if ALONE in sys.argv else "geography+smt"
    main(["sweep", model, *(word for word in sys.argv[1:] if word != ALONE)])

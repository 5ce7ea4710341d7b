"""Time parts of gx2c on this machine: `python -m benchmarks NAME [--json]`, or `gx2c bench`."""

import argparse
import json
import sys

import yaml

from benchmarks.frame import BENCHMARKS, run_benchmark
from gx2c.errors import UserError


def main() -> None:
    """Run one benchmark, or list all of them."""
    parser = argparse.ArgumentParser(prog="gx2c bench", description=__doc__)
    parser.add_argument("name", nargs="?", help=f"One of {', '.join(BENCHMARKS)}.")
    parser.add_argument("--json", action="store_true", help="Print JSON alone.")
    arguments = parser.parse_args()
    try:
        found = run_benchmark(arguments.name) if arguments.name else {"benchmarks": [*BENCHMARKS]}
    except UserError as error:
        print(f"gx2c: {error}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps(found, indent=1) if arguments.json else yaml.safe_dump(found, sort_keys=False))


if __name__ == "__main__":
    main()

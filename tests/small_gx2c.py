"""`gx2c` as a test of the pages runs it: the same program, made small.

The tables hold everything that differs from what a page shows.
"""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys

from sweeps.cli import app

# Added to a command, because a later option beats an earlier one
SMALL = {
    "sweep": "--preset quick --samples 2 --max-epochs 2 --folds 2 --inner-folds 2 --genes 20_var "
    "--nulls 2 --ensemble 1",
    "explain": "--nulls 2",
    "nulls make": "--n 20",
    "nulls fpr": "--regions 40 --pairs 4 --nulls 9",
    "nulls evaluate": "--n 2",
    "nulls calibrate": "--brains 1 --power-brains 0 --nulls 4",
}
# Of a sweep of many models, so many
MODELS = {"all": "exponential_decay,cge,mlp"}
# A search of geography has at least 32 configs; pictures of a sweep's report have their own tests
PATCHES = {
    "sweeps.report.build.figures_of": lambda run: {},
    "sweeps.request.plan.MIN_GEOGRAPHY_CONFIGS": 2,
    "sweeps.compare.zoo.MIN_GEOGRAPHY_CONFIGS": 2,
}


def small(arguments: list[str]) -> list[str]:
    """Return a command line with small settings."""
    name = " ".join(arguments[: 2 if arguments[0] == "nulls" else 1])
    if name == "bench":
        # tests/benchmarks runs each; this lists them
        return ["bench"]
    shown = [MODELS.get(word, word) for word in arguments]
    return [*shown, *SMALL.get(name, "").split()]


def until_it_serves(arguments: list[str]) -> int:
    """Start a server, wait until it names its address, and end it as Ctrl-C does."""
    command = [sys.executable, "-m", "sweeps.cli.app", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        served = any("http://" in line for line in server.stdout)
        server.send_signal(signal.SIGINT)
    return 0 if served else 1


def main() -> None:
    arguments = small(sys.argv[1:])
    if arguments[0] == "dashboard":
        raise SystemExit(until_it_serves(arguments))
    if arguments[0] == "sweep":
        for name, value in PATCHES.items():
            module, _, attribute = name.rpartition(".")
            setattr(importlib.import_module(module), attribute, value)
    app.main(arguments)


if __name__ == "__main__":
    main()

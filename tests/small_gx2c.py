"""`gx2c` as a test of the pages runs it: the same program, made small.

What differs from a page stands here: the tables, and sweeps that train in this process, without
Ray and without a report, which have tests of their own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest
from serial_sweep import in_this_process, without_ray

from sweeps.cli.app import main as gx2c

# Those of a saved model are fixed
GENES = "--genes 20_var"
# Added to a command, because a later option beats an earlier one
SMALL = {
    "sweep": "--preset quick --samples 2 --max-epochs 2 --folds 2 --inner-folds 2 --nulls 2 "
    f"--ensemble 1 {GENES}",
    "explain": "--nulls 2",
    "nulls make": "--n 20",
    "nulls fpr": "--regions 40 --pairs 4 --nulls 19",
    "nulls evaluate": "--n 2",
    "nulls calibrate": "--brains 1 --power-brains 0 --nulls 19",
}
# In place of all models, and of genes that are not among the few of a small sweep
OTHERS = {"all": "exponential_decay,cge,mlp", "SST,PVALB": "MET"}


def small(arguments: list[str]) -> list[str]:
    """Return a command line with small settings."""
    name = " ".join(arguments[: 2 if arguments[0] == "nulls" else 1])
    if name == "bench":
        # tests/benchmarks runs each; this lists them
        return ["bench"]
    shown = [OTHERS.get(word, word) for word in arguments]
    added = SMALL.get(name, "")
    if "--init-from" in arguments:
        added = added.replace(GENES, "")
    return [*shown, *added.split()]


def until_it_serves(arguments: list[str]) -> int:
    """Start a server, wait until it names its address, and end it as Ctrl-C does."""
    command = [sys.executable, "-m", "sweeps.cli.app", *arguments]
    # a shell's background jobs ignore Ctrl-C, and so would the server
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts
    ) as server:
        assert server.stdout
        served = any("http://" in line for line in server.stdout)
        server.send_signal(signal.SIGINT)
    return 0 if served else 1


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def search_here(patch: pytest.MonkeyPatch) -> None:
    """Let sweeps and final fits train in this process, against a short search of geography."""
    from sweeps.compare import zoo
    from sweeps.report import build
    from sweeps.request import plan
    from sweeps.run import final, sweep

    without_ray(patch)
    in_this_process(patch, final)
    patch.setattr(build, "write_report", lambda paths: paths.report.touch())
    patch.setattr(sweep, "write_study", lambda *_: None)
    patch.setattr(zoo, "ray_session", lambda **_: nullcontext(1))
    for module in (plan, zoo):
        patch.setattr(module, "MIN_GEOGRAPHY_CONFIGS", 2)


def main() -> None:
    arguments = small(sys.argv[1:])
    if arguments[0] == "dashboard":
        raise SystemExit(until_it_serves(arguments))
    with pytest.MonkeyPatch.context() as patch:
        if arguments[0] in ("sweep", "fit"):
            search_here(patch)
        gx2c(arguments)


if __name__ == "__main__":
    main()

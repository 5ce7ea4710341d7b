"""Seconds of quick commands, and of a sweep to its first finished config: `gx2c bench start`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.frame import in_turn

ROUNDS = 5
COMMANDS = {"help": ["--help"], "data_show": ["data", "show", "schaefer100"]}
SWEEPS = {
    "closed_form": ["sweep", "geography", "--preset", "quick"],
    "network": ["sweep", "smt", "--preset", "quick", "--nulls", "0"],
}
LIMIT_S = 300.0
GX2C = [sys.executable, "-m", "sweeps.cli.app"]


def run() -> dict[str, Any]:
    """Time the commands, medians over rounds, and each sweep once."""
    quiet = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    works = {name: partial(quiet, [*GX2C, *words]) for name, words in COMMANDS.items()}
    return {
        "command_s": in_turn(works, rounds=ROUNDS, clock=time.perf_counter),
        "first_result_s": {name: round(first_result(a), 1) for name, a in SWEEPS.items()},
    }


def first_result(arguments: list[str]) -> float:
    """Start a sweep, wait for the record of its first finished config, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        started = time.monotonic()
        process = subprocess.Popen(
            [*GX2C, *arguments, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not any(out.glob("records/*/*/config_*.json")):
                if process.poll() is not None or time.monotonic() - started > LIMIT_S:
                    raise RuntimeError(f"gx2c {' '.join(arguments)} has finished no config")
                time.sleep(0.02)
            return time.monotonic() - started
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(LIMIT_S)

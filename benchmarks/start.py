"""How long until something is there: `gx2c bench start`.

Seconds of the quick commands, and from the start of a sweep's command to its first finished config.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.frame import seconds_of

REPEATS = 5
COMMANDS = {"help": ["--help"], "data_show": ["data", "show", "schaefer100"]}
SWEEPS = {
    "closed_form": ["sweep", "geography", "--preset", "quick"],
    "network": ["sweep", "smt", "--preset", "quick", "--nulls", "0"],
}
PATIENCE_S = 300.0


def run() -> dict[str, Any]:
    """Time the commands, medians over repeats, and each sweep once."""
    return {
        "command_s": {
            name: seconds_of(partial(_run, arguments), repeats=REPEATS, clock=time.perf_counter)
            for name, arguments in COMMANDS.items()
        },
        "first_result_s": {name: round(first_result(a), 1) for name, a in SWEEPS.items()},
    }


def first_result(arguments: list[str]) -> float:
    """Start a sweep, wait for the record of its first finished config, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "sweeps.cli", *arguments, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not any(out.glob("records/*/*/config_*.json")):
                if process.poll() is not None or time.monotonic() - started > PATIENCE_S:
                    raise RuntimeError(f"gx2c {' '.join(arguments)} has finished no config")
                time.sleep(0.02)
            return time.monotonic() - started
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_S)


def _run(arguments: list[str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "sweeps.cli", *arguments], check=True, stdout=subprocess.DEVNULL
    )

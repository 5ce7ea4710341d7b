"""What all benchmarks share: the table of them, the machine, repeats and spread."""

from __future__ import annotations

import importlib
import os
import platform
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gx2c.errors import UserError
from sweeps.provenance import processor_name

# name -> module with `run(**options) -> dict` of plain values
BENCHMARKS: Mapping[str, str] = {
    "step": "benchmarks.step",
    "compiled": "benchmarks.compiled",
    "kernels": "benchmarks.kernels",
    "schedulers": "benchmarks.schedulers",
    "time-to-score": "benchmarks.time_to_score",
    "gradient-noise": "benchmarks.gradient_noise",
    "overhead": "benchmarks.overhead",
    "driver-memory": "benchmarks.driver_memory",
    "start": "benchmarks.start",
    "spins": "benchmarks.spins",
    "kernel-nulls": "benchmarks.kernel_nulls",
    "load": "benchmarks.load",
    "full-grid": "benchmarks.full_grid",
}


def run_benchmark(name: str) -> dict[str, Any]:
    """Run one benchmark and add what it was measured on.

    Raises
    ------
    UserError
        If there is no benchmark of that name.
    """
    if name not in BENCHMARKS:
        raise UserError(f"no benchmark {name!r}; choose from {sorted(BENCHMARKS)}")
    started = time.monotonic()
    result = importlib.import_module(BENCHMARKS[name]).run()
    return {
        "benchmark": name,
        "machine": machine(),
        **result,
        "seconds": round(time.monotonic() - started, 1),
    }


def machine() -> dict[str, Any]:
    """Describe where a measurement was made."""
    import torch

    return {
        "processor": processor_name(),
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def seconds_of(
    work: Callable[[], Any],
    *,
    repeats: int,
    warm_up: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Time a piece of work.

    Parameters
    ----------
    work
        What to time.
    repeats, warm_up
        How often, and how often before without looking.
    clock
        Processor seconds of this process, of which other work on the machine takes none; work in
        other processes needs `time.perf_counter`.

    Returns
    -------
    dict
        "median", "fastest" and "slowest" seconds over `repeats`, and "repeats".
    """
    for _ in range(warm_up):
        work()
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append(clock() - started)
    return {
        "median": float(np.median(times)),
        "fastest": min(times),
        "slowest": max(times),
        "repeats": repeats,
    }


def in_turn(
    works: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    repeats: int,
    warm_up: int = 2,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, dict[str, float]]:
    """Time pieces of work in turn for some rounds, so that they share noise.

    Parameters
    ----------
    works
        What to time.
    rounds
        How often each has its turn.
    repeats, warm_up, clock
        Of one turn; see `seconds_of`.

    Returns
    -------
    dict
        Of each work "median", the fastest of its rounds' medians in seconds, and "spread", its
        slowest run over its fastest.
    """
    turns = [
        {
            name: seconds_of(work, repeats=repeats, warm_up=warm_up, clock=clock)
            for name, work in works.items()
        }
        for _ in range(rounds)
    ]
    return {
        name: {
            "median": min(turn[name]["median"] for turn in turns),
            "spread": max(turn[name]["slowest"] for turn in turns)
            / min(turn[name]["fastest"] for turn in turns),
        }
        for name in works
    }

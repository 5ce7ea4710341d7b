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

"""Shared by all benchmarks: their table, provenance, and timing in turn."""

import importlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.errors import UserError
from sweeps.folder.provenance import provenance

# name -> module with `run() -> dict` of plain values
BENCHMARKS: Mapping[str, str] = {
    "step": "benchmarks.step",
    "time-to-score": "benchmarks.time_to_score",
    "schedulers": "benchmarks.schedulers",
    "overhead": "benchmarks.overhead",
    "start": "benchmarks.start",
    "spins": "benchmarks.spins",
    "kernel-nulls": "benchmarks.kernel_nulls",
    "estimate": "benchmarks.estimate",
    "enrichment": "benchmarks.enrichment",
    "explain": "benchmarks.explain",
}
# removed benchmarks -> the page and section that keep the answer
ANSWERED: Mapping[str, str] = {
    "compiled": "docs/performance.md, 'Populations'",
    "kernels": "docs/performance.md, 'Populations'",
    "gradient-noise": "docs/performance.md, 'Why blocks'",
    "driver-memory": "docs/performance.md, 'The sweep itself'",
    "load": "docs/scale.md, 'Ten thousand configs'",
    "full-grid": "docs/scale.md, 'The published grid'",
}


def run_benchmark(name: str) -> dict[str, Any]:
    """Run one benchmark, refusing an unknown name, and add where it ran."""
    if name in ANSWERED:
        raise UserError(f"the benchmark {name!r} was removed; its result is in {ANSWERED[name]}")
    if name not in BENCHMARKS:
        raise UserError(f"no benchmark {name!r}; choose from {', '.join(BENCHMARKS)}")
    started = time.monotonic()
    result = importlib.import_module(BENCHMARKS[name]).run()
    return {
        "benchmark": name,
        "provenance": provenance(),
        **result,
        "seconds": round(time.monotonic() - started, 1),
    }


def in_turn(
    works: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, dict[str, float]]:
    """Time pieces of work in turn, so that noise of the machine hits all alike.

    Parameters
    ----------
    works
        Work by name.
    rounds
        Number of timed rounds; one more, untimed, warms up.
    clock
        By default processor seconds of this process, which exclude other work on the machine.
        Work in other processes needs `time.perf_counter`.

    Returns
    -------
    dict
        "median" and "fastest" seconds of each work, and "spread", its slowest run over its fastest.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            started = clock()
            work()
            if number > 0:
                times[name].append(clock() - started)
    return {
        name: {
            "median": float(np.median(taken)),
            "fastest": min(taken),
            "spread": round(max(taken) / min(taken), 2),
        }
        for name, taken in times.items()
    }


def memory_kib(entry: str) -> int:
    """Return this process's memory: "RssAnon" its own now, "VmHWM" all at its peak; Linux only.

    `ru_maxrss` would include the peak of the process that started this one.
    """
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{entry}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None, "Linux gives both for every running process"
    return int(found[1])

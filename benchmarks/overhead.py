"""What the sweep itself costs beyond the work: `gx2c bench overhead`.

Closed-form configs on schaefer100; overhead is (wall - work / workers) / configs, sampler and
records included. Driver memory is what it grows by during the search.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from sweeps.options import make_options
from sweeps.paths import SweepPaths
from sweeps.plan import make_plan
from sweeps.ray_session import ray_session
from sweeps.search_phase import run_search

N_CONFIGS = 1_000
N_FOLDS = 4
MODEL = "geography"


def run() -> dict[str, Any]:
    """Search 1,000 configs on four outer folds together."""
    options = make_options(MODEL, preset="quick", samples=N_CONFIGS // N_FOLDS, folds=N_FOLDS)
    plan = make_plan(options)
    with tempfile.TemporaryDirectory() as folder:
        paths = SweepPaths(Path(folder) / "run")
        board = plan.board(paths)
        with ray_session(cpus_per_trial=1, gpus_per_trial=0, shared=folder) as workers:
            memory_before = driver_memory_kib()
            started = time.monotonic()
            run_search(plan, paths, board)
            wall = time.monotonic() - started
            memory = driver_memory_kib() - memory_before
    work = sum(record.seconds for search in board.records().values() for record in search)
    return {
        "configs": N_CONFIGS,
        "workers": workers,
        "wall_s": round(wall, 1),
        "work_s": round(work, 1),
        "overhead_ms_per_config": round(1e3 * (wall - work / workers) / N_CONFIGS, 1),
        "driver_kib_per_config": round(memory / N_CONFIGS, 1),
    }


def driver_memory_kib() -> int:
    """Return the resident memory of this process now (0 where /proc is not there)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)

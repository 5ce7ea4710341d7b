"""The sweep's own cost beyond the work of its configs: `gx2c bench overhead`.

Closed-form configs on schaefer100. Overhead is (wall - work / workers) / configs, sampler, records
and the copy of the study included; driver memory is its growth during the search. A tenth of the
configs is searched before, to warm all caches.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.frame import memory_kib
from sweeps.folder.paths import SweepPaths
from sweeps.phases.search import run_search
from sweeps.phases.study import write_study
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan
from sweeps.workers.ray_session import ray_session

N_CONFIGS = 1_000
N_FOLDS = 4
MODEL = "geography"


def run(*, n_configs: int = N_CONFIGS) -> dict[str, Any]:
    """Search that many configs on four outer folds together."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ray_session(cpus_per_trial=1, gpus_per_trial=0, shared=folder) as workers,
    ):
        search(n_configs // 10, Path(folder) / "warm-up")
        memory, started = memory_kib("RssAnon"), time.monotonic()
        # kept, as a sweep keeps them
        records = search(n_configs, Path(folder) / "run")
        wall = time.monotonic() - started
        memory = memory_kib("RssAnon") - memory
    work = sum(record.seconds for record in records)
    return {
        "configs": len(records),
        "workers": workers,
        "wall_s": round(wall, 1),
        "work_s": round(work, 1),
        "overhead_ms_per_config": round(1e3 * (wall - work / workers) / len(records), 1),
        "driver_kib_per_config": round(memory / len(records), 2),
    }


def search(n_configs: int, folder: Path) -> list[Any]:
    """Search, write the copy of the study, and return the records."""
    options = make_options(MODEL, preset="quick", samples=n_configs // N_FOLDS, folds=N_FOLDS)
    plan, paths = make_plan(options), SweepPaths(folder)
    board = plan.board(paths)
    run_search(plan, paths, board)
    write_study(plan, paths, board.records())
    return [record for search in board.records().values() for record in search]

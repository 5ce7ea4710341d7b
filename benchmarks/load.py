"""Many configs on a cluster of several nodes: `gx2c bench load` (10,000 of them).

A head without CPUs and two nodes of one CPU, all on this machine; configs of milliseconds on a
synthetic brain, so that nearly all of the time is the platform's own: sampler, scheduler, records.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.overhead import driver_memory_kib
from gx2c.data import make_synthetic_brain, write_dataset
from sweeps.options import make_options
from sweeps.paths import SweepPaths
from sweeps.plan import make_plan
from sweeps.ray_session import ray_session
from sweeps.search_phase import run_search

N_CONFIGS = 10_000
N_FOLDS = 4
N_NODES = 2


def run(n_configs: int = N_CONFIGS) -> dict[str, Any]:
    """Search so many configs of `geography` on four outer folds."""
    with tempfile.TemporaryDirectory() as folder:
        brain = make_synthetic_brain(n_regions=48, n_genes=10, seed=1)
        dataset = write_dataset(Path(folder) / "tiny", brain, {"Name": "tiny"})
        options = make_options(
            "geography",
            preset="quick",
            dataset=str(dataset),
            genes="all",
            samples=n_configs // N_FOLDS,
            folds=N_FOLDS,
            inner_folds=2,
        )
        plan = make_plan(options)
        paths = SweepPaths(Path(folder) / "run")
        board = plan.board(paths)
        memory = [driver_memory_kib()]
        with _cluster(), ray_session(cpus_per_trial=1, gpus_per_trial=0, shared=folder) as workers:
            memory.append(driver_memory_kib())
            started = time.monotonic()
            run_search(plan, paths, board)
            wall = time.monotonic() - started
            memory.append(driver_memory_kib())
    work = sum(record.seconds for search in board.records().values() for record in search)
    overhead = wall - work / workers
    return {
        "configs": sum(len(search.records) for search in board.searches.values()),
        "nodes": N_NODES,
        "workers": workers,
        "wall_s": round(wall, 1),
        "work_s": round(work, 1),
        "overhead_ms_per_config": round(1e3 * overhead / n_configs, 1),
        # of one second each on these workers, as in Ray's own load test
        "overhead_percent_of_1_s_configs": round(100 * overhead * workers / n_configs, 1),
        "driver_mib_before_and_after": [round(kib / 1024) for kib in memory],
        "driver_kib_per_config": round((memory[-1] - memory[1]) / n_configs, 1),
    }


class _cluster:
    """A virtual cluster that `ray_session` joins."""

    def __enter__(self) -> None:
        from ray.cluster_utils import Cluster

        small = {"num_gpus": 0, "include_dashboard": False, "object_store_memory": 150_000_000}
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
        for _ in range(N_NODES):
            self.cluster.add_node(num_cpus=1, **small)
        os.environ["RAY_ADDRESS"] = self.cluster.address

    def __exit__(self, *_: object) -> None:
        del os.environ["RAY_ADDRESS"]
        self.cluster.shutdown()

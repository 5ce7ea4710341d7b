"""What the driver of a long search keeps in memory: `gx2c bench driver-memory`.

5,000 tiny configs; the growth is counted from the first tenth on, when all caches are warm.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.overhead import driver_memory_kib
from sweeps.export import write_study
from sweeps.options import make_options
from sweeps.paths import SweepPaths
from sweeps.plan import make_plan
from sweeps.ray_session import ray_session
from sweeps.search.board import SearchBoard
from sweeps.search_phase import run_search

N_CONFIGS = 5_000
N_FOLDS = 4
MODEL = "geography"
WARM_SHARE = 0.1
INTERVAL_S = 0.5


def run(*, n_configs: int = N_CONFIGS) -> dict[str, Any]:
    """Search on four outer folds together and watch the driver.

    Returns
    -------
    dict
        "kib_per_config" beyond the first tenth; "kib_at" by configs finished.
    """
    options = make_options(
        MODEL, preset="quick", samples=n_configs // N_FOLDS, folds=N_FOLDS, inner_folds=2
    )
    plan = make_plan(options)
    with tempfile.TemporaryDirectory() as folder:
        paths = SweepPaths(Path(folder) / "run")
        board = plan.board(paths)
        with ray_session(cpus_per_trial=1, gpus_per_trial=0, shared=folder):
            # loads once what copies of the study need, whatever the length of the search
            paths.root.mkdir()
            write_study(plan, paths, board.records())
            watch = MemoryWatch(board)
            with watch:
                run_search(plan, paths, board)
            watch.look()
    return {
        "configs": watch.points[-1][0],
        "kib_per_config": round(growth_per_config(watch.points), 2),
        "kib_at": dict(watch.points[:: max(1, len(watch.points) // 10)]),
    }


class MemoryWatch:
    """Notes the driver's memory and the finished configs now and then.

    Parameters
    ----------
    board
        Whose records are counted.
    """

    def __init__(self, board: SearchBoard) -> None:
        self.board = board
        self.points: list[tuple[int, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Note the memory as it is now."""
        done = sum(len(search.records) for search in self.board.searches.values())
        self.points.append((done, driver_memory_kib()))

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            self.look()


def growth_per_config(points: list[tuple[int, int]]) -> float:
    """Return the KiB that each config adds after the first tenth of them."""
    n_configs, last = points[-1]
    warm = next((p for p in points if p[0] >= WARM_SHARE * n_configs), points[0])
    return (last - warm[1]) / max(1, n_configs - warm[0])

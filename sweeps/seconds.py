"""Time spent in each phase, summed over the sessions of a sweep."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from sweeps.paths import SweepPaths
from sweeps.records import read_json, write_json

PHASES = ("start", "search", "retrain", "nulls")


class PhaseClock:
    """Adds up seconds per phase and keeps them in the run folder.

    Parameters
    ----------
    paths
        Whose file is continued when a sweep is resumed.
    """

    def __init__(self, paths: SweepPaths) -> None:
        self.paths = paths
        self.seconds = dict.fromkeys(PHASES, 0.0)
        if paths.seconds.exists():
            self.seconds |= read_json(paths.seconds)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] += time.monotonic() - started
            # before its options are there, a run folder is not ours to write in
            if self.paths.sweep.exists():
                write_json(self.paths.seconds, self.seconds)

    def totals(self) -> dict[str, float]:
        """Return each phase and the total."""
        return {"total": sum(self.seconds.values())} | self.seconds

"""Tune keeps a worker that is still starting, instead of ending it when another one is free.

With `reuse_actors` Tune gives a free worker to any trial that has not begun, and ends the worker
that was being started for that trial. Where starting takes longer than a trial, as loading torch
does, every worker but the first is ended before it has done anything, and one processor does all
the work. Tune has no option for it (seen in Ray 2.54 to 2.60).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ray.tune.execution.tune_controller import TuneController


@contextlib.contextmanager
def starting_actors_are_kept() -> Iterator[None]:
    """Change how Tune reuses workers for as long as this context lasts."""
    reuse = TuneController._maybe_reuse_cached_actor

    def reuse_unless_starting(self: Any, trial: Any) -> bool:
        if trial not in self._resetting_trials and _is_starting(self, trial):
            # the free worker waits for the next trial
            return False
        return bool(reuse(self, trial))

    TuneController._maybe_reuse_cached_actor = reuse_unless_starting
    try:
        yield
    finally:
        TuneController._maybe_reuse_cached_actor = reuse


def _is_starting(controller: Any, trial: Any) -> bool:
    """Say whether a trial's own worker has its resources; one that waits for them may be ended."""
    actor = controller._trial_to_actor.get(trial)
    return actor is not None and bool(controller._actor_manager.is_actor_started(actor))

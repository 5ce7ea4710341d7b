"""Keep a copy of the search for optuna-dashboard while it goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from ray.tune import Callback
from ray.tune.progress_reporter import TrialProgressCallback

from gx2c.errors import UserError

logger = logging.getLogger("gx2c")

INTERVAL_S = 60.0
# A copy of a long search takes a while: never spend more than a twentieth of the time on it
LEAST_PAUSE_PER_COPY = 20.0


class StudyCopier(Callback):  # type: ignore[misc]
    """Calls `copy` now and then, from the thread that runs the search.

    Parameters
    ----------
    copy
        Writes the copy.
    """

    def __init__(self, copy: Callable[[], None]) -> None:
        self.copy = copy
        self.due = time.monotonic() + INTERVAL_S

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Write a copy if one is due."""
        started = time.monotonic()
        if started < self.due:
            return
        try:
            self.copy()
        except UserError as error:
            # it is there to be looked at: the sweep goes on without it
            logger.warning("%s", error)
        spent = time.monotonic() - started
        self.due = time.monotonic() + max(INTERVAL_S, LEAST_PAUSE_PER_COPY * spent)

    def __getstate__(self) -> dict[str, Any]:
        return {}


class SilentTrials(TrialProgressCallback):  # type: ignore[misc]
    """Takes the place of Tune's own line per trial, which no verbosity silences."""

    def _print(self, msg: str) -> None:
        """Print nothing: gx2c shows one line for the whole sweep."""

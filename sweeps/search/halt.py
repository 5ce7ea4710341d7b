"""Stop Tune for good, from a place where it does not take the reason for a trial's failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ray.tune import Callback

from gx2c.errors import UserError
from sweeps.disk import DiskBudget


class Halt(Callback):  # type: ignore[misc]
    """Keeps the first reason to stop and raises it at the end of Tune's step.

    What a scheduler raises while a trial ends is caught by Tune, which tries that trial again:
    a full disk would become a failed config.

    Parameters
    ----------
    disk
        Watched too, if given.
    """

    def __init__(self, disk: DiskBudget | None = None) -> None:
        self.disk = disk
        self.reason: UserError | OSError | None = None

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Keep what a block raises and go on."""
        try:
            yield
        except (UserError, OSError) as error:
            self.reason = self.reason or error

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Raise the reason, if there is one."""
        if self.disk is not None:
            self.disk.check()
        if self.reason is not None:
            raise self.reason

    def __getstate__(self) -> dict[str, Any]:
        return {}

"""Stop Tune for good, from a place where it does not take the reason for a trial's failure."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from ray.tune import Callback

from gx2c.errors import UserError

# No room, no right, no medium: of the disk and of no config
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)


def refuse_disk_trouble(cause: str) -> None:
    """Refuse to take an error of the disk for one of a trial.

    Parameters
    ----------
    cause
        Last line of what a trial raised.

    Raises
    ------
    UserError
        If it is such an error.
    """
    if any(f"[Errno {number}]" in cause for number in DISK_TROUBLE):
        raise UserError(
            f"a checkpoint cannot be written ({cause}); make room or give another --storage, "
            "then --resume: nothing finished is lost"
        )


class Halt(Callback):  # type: ignore[misc]
    """Keeps the first reason to stop and raises it at the end of Tune's step.

    What a scheduler raises while a trial ends is caught by Tune, which tries that trial again:
    a full disk would become a failed config.
    """

    def __init__(self) -> None:
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
        if self.reason is not None:
            raise self.reason

    def __getstate__(self) -> dict[str, Any]:
        return {}

"""How much disk a run takes, and its limit."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from gx2c.errors import UserError
from sweeps.paths import SweepPaths

INTERVAL_S = 10.0
# Of a folder with many records: never spend more than a twentieth of the time on counting
LEAST_PAUSE_PER_COUNT = 20.0
GB = 1e9

# No room, no right, no medium: of the disk and of no config
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)


def refuse_disk_trouble(cause: str) -> None:
    """Say what to do about an error of the disk, which is no fault of a trial or of the code.

    Parameters
    ----------
    cause
        What was raised, as text: from another process there is no more.

    Raises
    ------
    UserError
        If it is such an error.
    """
    if any(f"[Errno {number}]" in cause for number in DISK_TROUBLE):
        raise UserError(
            f"the disk takes no more ({cause}); make room, make it writable or give another "
            "--storage, then --resume: nothing finished is lost"
        )


@contextlib.contextmanager
def disk_trouble_said() -> Iterator[None]:
    """Turn errors of the disk, wherever they come from, into one sentence."""
    try:
        yield
    except OSError as error:
        refuse_disk_trouble(str(error))
        raise


def folder_bytes(folder: Path) -> int:
    """Sum the sizes of all files under a folder; those that vanish meanwhile count nothing."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total


class DiskBudget:
    """Sees that a run folder stays within `--max-disk`.

    Parameters
    ----------
    paths
        Of the run.
    max_gb
        In 10^9 bytes; 0 for no limit.
    """

    def __init__(self, paths: SweepPaths, max_gb: float) -> None:
        self.paths, self.max_gb = paths, max_gb
        self.due = time.monotonic()

    def check(self) -> None:
        """Count now and then.

        Raises
        ------
        UserError
            If the run takes more than it may; it can be resumed with a larger limit.
        """
        started = time.monotonic()
        if not self.max_gb or started < self.due:
            return
        taken = folder_bytes(self.paths.root) / GB
        spent = time.monotonic() - started
        self.due = time.monotonic() + max(INTERVAL_S, LEAST_PAUSE_PER_COUNT * spent)
        if taken > self.max_gb:
            raise UserError(
                f"{self.paths.root} takes {taken:.3g} GB, more than --max-disk {self.max_gb:g}; "
                "--resume with a larger --max-disk: nothing finished is lost"
            )

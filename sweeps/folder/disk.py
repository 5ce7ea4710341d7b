"""How much disk a run takes, and its limit."""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths

INTERVAL_S = 10.0
# Pause after each turn, as a multiple of its duration
LEAST_PAUSE = 20.0
GB = 1e9

# Full, read-only, not permitted or broken: errors of the disk, not of a config
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)


def refuse_disk_trouble(cause: str) -> None:
    """Raise a `UserError` with advice if the text of an exception names an error of the disk.

    Such an error is no fault of a trial or of the code. The text is everything that another process
    passes on; of several errors the first is named, for the others follow from it.
    """
    for line in cause.splitlines():
        if any(f"[Errno {number}]" in line for number in DISK_TROUBLE):
            raise UserError(
                f"the disk cannot be written ({line.strip()}); make room, make it writable or give "
                "another --storage, then --resume: nothing finished is lost"
            )


def causes_of(error: BaseException) -> list[BaseException]:
    """Return an error and those during whose handling it came up, the first of them first."""
    earlier = error.__context__
    return [*(causes_of(earlier) if earlier is not None else ()), error]


@contextlib.contextmanager
def disk_trouble_said() -> Iterator[None]:
    """Turn errors of the disk, wherever they come from, into one sentence on the first of them."""
    try:
        yield
    except OSError as error:
        for earlier in causes_of(error):
            if isinstance(earlier, UserError):
                raise earlier from None
            refuse_disk_trouble(str(earlier))
        raise


def folder_bytes(folder: Path) -> int:
    """Sum the sizes of all files under a folder; those that vanish meanwhile do not count."""
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


class Turns:
    """Runs something costly now, then at intervals that keep it below a twentieth of the time."""

    def __init__(self, interval_s: float) -> None:
        self.interval_s, self.due = interval_s, time.monotonic()

    def take(self, action: Callable[[], None]) -> None:
        """Run it if it is due."""
        started = time.monotonic()
        if started < self.due:
            return
        try:
            action()
        finally:
            spent = time.monotonic() - started
            self.due = time.monotonic() + max(self.interval_s, LEAST_PAUSE * spent)


class DiskBudget:
    """Checks that a run folder stays within `--max-disk`, in GB of 10^9 bytes; 0 for no limit."""

    def __init__(self, paths: SweepPaths, max_gb: float) -> None:
        self.paths, self.max_gb = paths, max_gb
        self.turns = Turns(INTERVAL_S)

    def check(self) -> None:
        """Count now and then.

        Raises
        ------
        UserError
            If the run takes more than it may; it can be resumed with a larger limit.
        """
        if self.max_gb:
            self.turns.take(self._count)

    def _count(self) -> None:
        taken = folder_bytes(self.paths.root) / GB
        if taken > self.max_gb:
            raise UserError(
                f"{self.paths.root} takes {taken:.3g} GB, more than --max-disk {self.max_gb:g}; "
                "--resume with a larger --max-disk: nothing finished is lost"
            )

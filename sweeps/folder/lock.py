"""One sweep at a time in a run folder."""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from gx2c.errors import UserError, logger
from sweeps.folder.paths import LOCK_FILE

# Errors of file systems without locks
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock.

    Attributes
    ----------
    host, pid
        The process.
    since
        Time at which it took the lock, only for messages: no decision depends on a clock.
    boot
        Identifier of the boot of the host's kernel, which distinguishes processes before a restart
        and hosts of the same name.
    """

    host: str
    pid: int
    since: str
    boot: str = ""

    @classmethod
    def me(cls) -> Self:
        """Return this process."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), now, _boot())

    @property
    def is_gone(self) -> bool:
        """Whether it was a process of this machine that has ended."""
        return (self.host, self.boot) == (socket.gethostname(), _boot()) and not _is_alive(self.pid)

    def to_bytes(self) -> bytes:
        """Return the content of a lock file or lease object."""
        return (json.dumps(asdict(self)) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self | None:
        """Read a holder; None if it is incomplete."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            return None


def in_use(place: str | Path, holder: Holder | None) -> UserError:
    """Return the refusal of a second sweep on one run folder."""
    who = f"process {holder.pid} on {holder.host}, since {holder.since}" if holder else "another"
    return UserError(
        f"{place} is in use by a sweep that is running ({who}); "
        "wait for it, stop it, or give another --out"
    )


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock a local or NFS folder through the kernel, which releases it when its holder dies.

    The folder is created if necessary, and removed again if nothing was written in it.

    Raises
    ------
    UserError
        If another sweep holds it, it cannot be written, or it holds links.
    """
    refuse_links(folder)
    path, made = folder / LOCK_FILE, not folder.exists()
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(lock, folder)
        path.write_bytes(Holder.me().to_bytes())
    except OSError as error:
        if made:
            _remove_empty(folder)
        raise UserError(
            f"{folder} cannot be written ({error.strerror}); make it writable or give another --out"
        ) from None
    try:
        yield
    finally:
        # removed while locked: a process that waits for it notices that the file is gone
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()
        if made:
            _remove_empty(folder)


def refuse_links(folder: Path) -> None:
    """Refuse a run folder with symbolic links, through which others' files would be changed.

    Raises
    ------
    UserError
        Naming the first link below the folder.
    """
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink():
                raise UserError(
                    f"{path} is a symbolic link, and a run folder may hold none, because gx2c "
                    "would change files elsewhere; replace it by what it points to, or remove it"
                )


def holder_of(folder: Path) -> Holder | None:
    """Return the holder of a run folder; None if there is none, as far as this machine can see."""
    holder = _read_holder(folder)
    here = holder is not None and holder.host == socket.gethostname()
    return None if holder is None or (here and not _is_alive(holder.pid)) else holder


def _acquire(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise in_use(folder, _read_holder(folder)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        logger.warning(
            "%s is on a file system without locks; make sure that only one sweep runs there", folder
        )


def _read_holder(folder: Path) -> Holder | None:
    try:
        return Holder.from_bytes((folder / LOCK_FILE).read_bytes())
    except OSError:
        return None


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _boot() -> str:
    """Identify the current boot of this machine's kernel; empty if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""

"""One sweep at a time in a run folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol

from gx2c.errors import UserError
from sweeps.paths import LOCK_FILE

logger = logging.getLogger("gx2c")

# Of file systems that have no locks at all
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


class RunLock(Protocol):
    """Held for as long as a sweep writes; entering raises `in_use` if another holds it."""

    def __enter__(self) -> RunLock: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    host, pid
        The process.
    since
        When it took the lock, for people: no decision depends on a clock.
    boot
        Of the host's kernel: a process of an earlier one, or of a namesake, is not here.
    """

    host: str
    pid: int
    since: str
    boot: str = ""

    @classmethod
    def me(cls) -> Holder:
        """Return this process."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), now, _boot())

    @property
    def is_gone(self) -> bool:
        """Whether it was a process of this machine that has ended."""
        me = Holder.me()
        if (self.host, self.boot) != (me.host, me.boot):
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def to_bytes(self) -> bytes:
        """Return the content of a lock file or lease object."""
        return (json.dumps(asdict(self)) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Holder | None:
        """Read a holder; None if it is not there in full."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            return None


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def in_use(place: str | Path, holder: Holder | None) -> UserError:
    """Return the refusal of a second sweep on one run folder."""
    who = f"process {holder.pid} on {holder.host}, since {holder.since}" if holder else "another"
    return UserError(
        f"{place} is in use by a sweep that is running ({who}); "
        "wait for it, stop it, or give another --out"
    )


class FolderLock:
    """Locks a local or NFS folder through the kernel, which frees it when its holder dies.

    Parameters
    ----------
    folder
        The run folder; made if need be, and removed again if nothing was written in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / LOCK_FILE
        self.made = False

    def __enter__(self) -> FolderLock:
        try:
            self.made = not self.folder.exists()
            self.folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = self._take()
        except OSError as error:
            self._remove_empty()
            raise UserError(
                f"{self.folder} cannot be written ({error.strerror}); "
                "make it writable or give another --out"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # removed while still locked: whoever waits for it finds that it is no longer the file
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self.descriptor)
        self._remove_empty()

    def _take(self) -> int:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(descriptor, self.folder)
                if _is_at(descriptor, self.path):
                    os.truncate(descriptor, 0)
                    os.pwrite(descriptor, Holder.me().to_bytes(), 0)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _remove_empty(self) -> None:
        if self.made:
            with contextlib.suppress(OSError):
                self.folder.rmdir()


def holder_of(folder: Path) -> Holder | None:
    """Return who holds a run folder; None if nobody does, for all that can be seen from here."""
    try:
        holder = Holder.from_bytes((folder / LOCK_FILE).read_bytes())
    except OSError:
        return None
    here = holder is not None and holder.host == socket.gethostname()
    return None if holder is None or (here and not Path(f"/proc/{holder.pid}").exists()) else holder


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise in_use(folder, Holder.from_bytes(os.pread(descriptor, 4096, 0))) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        logger.warning(
            "%s is on a file system without locks; see that one sweep alone runs there", folder
        )


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

"""A copy of a run's search for optuna-dashboard, which follows the run."""

import contextlib
import errno
import socket
import threading
import time

from optuna.storages import RDBStorage
from sqlalchemy.pool import NullPool

from gx2c.errors import UserError, logger
from sweeps.folder.lock import holder_of
from sweeps.folder.paths import SweepPaths
from sweeps.phases.study import read_records, write_study
from sweeps.request.files import read_options
from sweeps.request.plan import make_plan

THIS_MACHINE = "127.0.0.1"
INTERVAL_S = 2.0
PORTS_TRIED = 100


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody uses on this machine.

    Raises
    ------
    UserError
        If none of a hundred is free.
    """
    last = min(first + PORTS_TRIED, 2**16)
    for port in range(first, last):
        with socket.socket() as one:
            # a server that has just ended does not count
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((THIS_MACHINE, port))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                continue
        return port
    raise UserError(f"ports {first} to {last - 1} are all in use; give another --port")


class LiveCopy:
    """A copy of a run's search that is written again whenever the run has changed."""

    def __init__(self, paths: SweepPaths) -> None:
        self.paths, self.plan = paths, make_plan(read_options(paths))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._write()

    def __enter__(self) -> RDBStorage:
        self._thread.start()
        # a connection for each request, because the file is replaced
        return RDBStorage(f"sqlite:///{self.paths.study}", engine_kwargs={"poolclass": NullPool})

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        # copying a large search takes seconds, in which pages would wait
        while not self._ended.wait(max(INTERVAL_S, self.took_s)):
            try:
                if self._state() != self.seen:
                    self._write()
            except UserError as error:
                logger.warning("%s", error)

    def _write(self) -> None:
        started, self.seen = time.monotonic(), self._state()
        write_study(self.plan, self.paths, read_records(self.plan, self.paths))
        self.took_s = time.monotonic() - started

    def _state(self) -> list[str]:
        """Return what changes when a config begins, reports, ends, or is retrained."""
        found = [f"{holder_of(self.paths.root)}"]
        for pattern in (self.paths.running.name, "records/*/*", "retrained/*/*"):
            for path in sorted(self.paths.root.glob(pattern)):
                with contextlib.suppress(FileNotFoundError):
                    found.append(f"{path} {path.stat().st_mtime_ns}")
        return found

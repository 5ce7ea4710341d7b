"""A lease on a run in a storage: one session at a time writes it."""

import contextlib
import threading
import uuid
from typing import Self

from gx2c.errors import UserError
from sweeps.folder.lock import Holder, in_use
from sweeps.storage.store import Store, storage_errors

BEAT_S = 15.0
STALE_S = 90.0
_FOLDER = "lease"


class Lease:
    """A claim on a run: an object that its session rewrites every few seconds.

    Object stores have no locks, but every reader lists a completed write. Each session therefore
    writes its claim first and then looks for others. If two start at the same time, both may be
    refused, but never do both continue. The age of a claim is the difference of two times of the
    store's own clock, so the clocks of machines do not matter.

    Parameters
    ----------
    store
        The store of the run.
    beat_s
        Time between two heartbeats, s.
    stale_s
        Age without a heartbeat after which a claim is void, s. The claim of a process that has
        ended on this machine is void at once.
    """

    def __init__(self, store: Store, *, beat_s: float = BEAT_S, stale_s: float = STALE_S) -> None:
        self.store, self.beat_s, self.stale_s = store, beat_s, stale_s
        self.name = f"{_FOLDER}/{uuid.uuid4().hex}.json"
        self.holder = Holder.me()
        self.lost = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        with storage_errors(self.store.where):
            self._write()
            try:
                self._refuse_others()
            except BaseException:
                self.store.delete(self.name)
                raise
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            self.store.delete(self.name)

    def check(self) -> None:
        """Raise an error if another session has taken over the run."""
        if self.lost:
            raise UserError(self.lost)

    def _refuse_others(self) -> None:
        claims = self.store.list(_FOLDER)
        now = claims.pop(self.name)
        for name, written_s in claims.items():
            holder = self._holder(name)
            gone = holder is not None and holder.is_gone
            if now - written_s < self.stale_s and not gone:
                raise in_use(self.store.where, holder)
            self.store.delete(name)

    def _holder(self, name: str) -> Holder | None:
        try:
            return Holder.from_bytes(self.store.read(name))
        except OSError:
            return None

    def _write(self) -> None:
        self.store.write(self.name, self.holder.to_bytes())

    def _beat(self) -> None:
        while not self._stop.wait(self.beat_s):
            # a store that does not answer now may do so at the next heartbeat
            with contextlib.suppress(OSError):
                if self.name not in self.store.list(_FOLDER):
                    self.lost = (
                        f"another session has taken over {self.store.where}, because this one sent "
                        f"no heartbeat for {self.stale_s:.0f} s; the run continues there"
                    )
                    return
                self._write()

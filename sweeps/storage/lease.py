"""One session at a time writes a run in a storage."""

from __future__ import annotations

import contextlib
import threading
import uuid

from gx2c.errors import UserError
from sweeps.run_lock import Holder, in_use
from sweeps.storage.store import Store, storage_errors

BEAT_S = 15.0
STALE_S = 90.0
_FOLDER = "lease"


class Lease:
    """A claim on a run: an object that its session writes anew every few seconds.

    There is no lock in an object store, but a write that has ended is listed by everybody: each
    session writes its claim first and then looks for others. Of two that come at once both may
    be refused; never do both go on. A claim's age is the difference of two times of the store's
    own clock, so clocks of machines do not matter.

    Parameters
    ----------
    store
        Of the run.
    beat_s
        Time between two signs of life.
    stale_s
        After so long without one a claim counts for nothing; one of a process that has ended on
        this machine never does.
    """

    def __init__(self, store: Store, *, beat_s: float = BEAT_S, stale_s: float = STALE_S) -> None:
        self.store, self.beat_s, self.stale_s = store, beat_s, stale_s
        self.name = f"{_FOLDER}/{uuid.uuid4().hex}.json"
        self.holder = Holder.me()
        self.lost = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Lease:
        with storage_errors(self.store.where):
            self._write()
            try:
                self._refuse_beside_others()
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
        """Refuse to go on when another session has taken the run over.

        Raises
        ------
        UserError
            If so.
        """
        if self.lost:
            raise UserError(self.lost)

    def _refuse_beside_others(self) -> None:
        claims = self.store.list(_FOLDER)
        now = claims.pop(self.name).modified_s
        for name, entry in claims.items():
            holder = self._holder(name)
            gone = holder is not None and holder.is_gone
            if now - entry.modified_s < self.stale_s and not gone:
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
            # a store that does not answer now may do so at the next beat
            with contextlib.suppress(OSError):
                if self.name not in self.store.list(_FOLDER):
                    self.lost = (
                        f"another session has taken {self.store.where} over, for this one gave no "
                        f"sign of life for {self.stale_s:.0f} s; it goes on there"
                    )
                    return
                self._write()

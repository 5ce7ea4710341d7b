"""A place for whole objects by name, folders and object stores alike, and the lease on one."""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pyarrow import fs

from gx2c.errors import UserError
from sweeps.folder.lock import Holder, in_use
from sweeps.folder.records import write_bytes
from sweeps.storage.uri import check_storage, is_uri, join_uri

BEAT_S = 15.0
STALE_S = 90.0
_FOLDER = "lease"


class Store:
    """Whole objects by name; "/" separates the parts of a name.

    There is neither append nor rename: an object exists in full or not at all. Credentials of a
    bucket come from where the provider's tools find them.

    Parameters
    ----------
    where
        A folder that all who use it mount, or s3://bucket/folder or gs://bucket/folder with a
        query as pyarrow reads it (endpoint_override).
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.folder = None if is_uri(where) else Path(where)
        self.filesystem, self.root = fs.FileSystem.from_uri(_in_one_request(where))

    def read(self, name: str) -> bytes:
        """Return an object; raises FileNotFoundError if there is none."""
        with self.filesystem.open_input_stream(self._path(name)) as stream:
            return bytes(stream.read())

    def write(self, name: str, content: bytes) -> None:
        """Write or replace an object."""
        if self.folder is not None:
            write_bytes(self.folder / name, content)
            return
        with self.filesystem.open_output_stream(self._path(name)) as stream:
            stream.write(content)

    def write_if_absent(self, name: str, content: bytes) -> bool:
        """Write an object whose name fixes its content; return whether it was absent.

        Two that write it at once write the same.
        """
        kind = self.filesystem.get_file_info(self._path(name)).type
        absent = bool(kind == fs.FileType.NotFound)
        if absent:
            self.write(name, content)
        return absent

    def list(self, prefix: str) -> dict[str, float]:
        """List a folder's objects by name, each with the time of its last write.

        The time is in seconds by the store's own clock. S3 and Google Cloud list every write that
        has ended; files of a folder that are being written begin with a dot and do not count.
        """
        selector = fs.FileSelector(self._path(prefix), recursive=True, allow_not_found=True)
        return {
            info.path.removeprefix(f"{self.root}/"): info.mtime.timestamp()
            for info in self.filesystem.get_file_info(selector)
            if info.type == fs.FileType.File and not info.base_name.startswith(".")
        }

    def delete(self, name: str) -> None:
        """Remove an object; none is no error."""
        with contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}".rstrip("/")


def _in_one_request(uri: str) -> str:
    """Make S3 accept a small object in one request instead of three."""
    option = "allow_delayed_open"
    if not uri.startswith("s3://") or option in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{option}=true"


def open_store(storage: str, *parts: str) -> Store:
    """Open a folder of a storage; the text is checked by `check_storage`."""
    check_storage(storage)
    where = join_uri(storage, *parts)
    with storage_errors(where):
        return Store(where)


@contextlib.contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Turn errors of a store into one sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        text = " ".join(str(error).split())[:300]
        raise UserError(
            f"storage {where} cannot be used ({text}); check that it exists and is writable"
        ) from None


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
            holder = None
            with contextlib.suppress(OSError):
                holder = Holder.from_bytes(self.store.read(name))
            gone = holder is not None and holder.is_gone
            if now - written_s < self.stale_s and not gone:
                raise in_use(self.store.where, holder)
            self.store.delete(name)

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

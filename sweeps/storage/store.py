"""A place for whole objects by name; folders and object stores alike."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyarrow import fs

from gx2c.errors import UserError
from sweeps.records import write_bytes
from sweeps.storage.uri import is_uri, join_uri, storage_problem


@dataclass(frozen=True)
class Entry:
    """What a listing says of an object.

    Attributes
    ----------
    size
        Bytes.
    modified_s
        When it was last written, by the store's own clock, in seconds.
    """

    size: int
    modified_s: float


class Store(Protocol):
    """Whole objects by name; "/" separates the parts of a name.

    There is neither append nor rename: an object is there in full or not at all.
    """

    where: str

    def read(self, name: str) -> bytes:
        """Return an object; raises FileNotFoundError if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write or replace an object."""

    def write_if_absent(self, name: str, content: bytes) -> bool:
        """Write an object whose name fixes its content; return whether it was absent."""

    def list(self, prefix: str) -> dict[str, Entry]:
        """Return all objects whose names begin with a folder's name, by name."""

    def delete(self, name: str) -> None:
        """Remove an object; none is no error."""

    def delete_folder(self, prefix: str) -> None:
        """Remove all objects of a folder; none is no error."""


class FolderStore:
    """A folder, on this machine or mounted by all of them.

    Parameters
    ----------
    folder
        Need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.where = folder, str(folder)

    def read(self, name: str) -> bytes:
        """Read a file."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write beside, then rename."""
        write_bytes(self.folder / name, content)

    def write_if_absent(self, name: str, content: bytes) -> bool:
        """Leave a file alone that is there."""
        if (self.folder / name).exists():
            return False
        self.write(name, content)
        return True

    def list(self, prefix: str) -> dict[str, Entry]:
        """Walk a folder; files being written start with a dot and do not count."""
        found = {}
        for path in (self.folder / prefix).rglob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    status = path.stat()
                    name = path.relative_to(self.folder).as_posix()
                    found[name] = Entry(status.st_size, status.st_mtime)
        return found

    def delete(self, name: str) -> None:
        """Unlink a file."""
        (self.folder / name).unlink(missing_ok=True)

    def delete_folder(self, prefix: str) -> None:
        """Remove a folder."""
        shutil.rmtree(self.folder / prefix, ignore_errors=True)


class ObjectStore:
    """A bucket, through pyarrow; credentials come from where the provider's tools find them.

    Parameters
    ----------
    uri
        s3://bucket/folder or gs://bucket/folder; a query as pyarrow reads it (endpoint_override).
    """

    def __init__(self, uri: str) -> None:
        self.where = uri
        self.filesystem, self.root = fs.FileSystem.from_uri(_in_one_request(uri))

    def read(self, name: str) -> bytes:
        """Download an object."""
        with self.filesystem.open_input_stream(self._path(name)) as stream:
            return bytes(stream.read())

    def write(self, name: str, content: bytes) -> None:
        """Upload an object; it appears when it is whole."""
        with self.filesystem.open_output_stream(self._path(name)) as stream:
            stream.write(content)

    def write_if_absent(self, name: str, content: bytes) -> bool:
        """Look first; two that write at once write the same, for the name fixes the content."""
        if self.filesystem.get_file_info(self._path(name)).type != fs.FileType.NotFound:
            return False
        self.write(name, content)
        return True

    def list(self, prefix: str) -> dict[str, Entry]:
        """List a prefix; both S3 and Google Cloud show every write that has ended."""
        selector = fs.FileSelector(self._path(prefix), recursive=True, allow_not_found=True)
        return {
            info.path.removeprefix(f"{self.root}/"): Entry(info.size, info.mtime.timestamp())
            for info in self.filesystem.get_file_info(selector)
            if info.type == fs.FileType.File
        }

    def delete(self, name: str) -> None:
        """Delete an object."""
        with contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_file(self._path(name))

    def delete_folder(self, prefix: str) -> None:
        """Delete a prefix."""
        self.filesystem.delete_dir_contents(self._path(prefix), missing_dir_ok=True)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}".rstrip("/")


def _in_one_request(uri: str) -> str:
    """Have S3 take a small object in one request, not in three."""
    option = "allow_delayed_open"
    if not uri.startswith("s3://") or option in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{option}=true"


def open_store(storage: str, *parts: str) -> Store:
    """Open a folder of a storage.

    Raises
    ------
    UserError
        If it is no storage.
    """
    if problem := storage_problem(storage):
        raise UserError(problem)
    where = join_uri(storage, *parts)
    if not is_uri(where):
        return FolderStore(Path(where))
    with storage_errors(where):
        return ObjectStore(where)


@contextlib.contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Turn what a store cannot do into one sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        text = " ".join(str(error).split())[:300]
        raise UserError(
            f"storage {where} cannot be used ({text}); see that it exists and may be written"
        ) from None

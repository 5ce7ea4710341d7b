"""A run folder's finished work, kept in a storage too: what a new head needs to go on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gx2c.errors import UserError
from sweeps.records import write_bytes
from sweeps.storage.lease import Lease
from sweeps.storage.store import Store, storage_errors

# What is written once and never changes; the file that says "finished" last
FINISHED = (
    "records/**/config_*.json",
    "nulls/**/group_*.json",
    "retrained/**/*relmat.tsv",
    "retrained/**/weights.safetensors",
    "retrained/**/result.json",
)
# What a session may write anew
OUTPUTS = ("*.*", "nulls/*/scores.tsv")
_FOLDER = "finished"
_MARK = ".sha256-"
_AT_ONCE = 16


class Mirror:
    """Copies finished work to a store as it is finished, and back into an empty run folder.

    Each finished file is one immutable object whose name ends in the SHA-256 of its content: a
    copy that was cut short or damaged is seen, and the same content is never written twice.

    Parameters
    ----------
    root
        The run folder.
    store
        Of this run alone.
    lease
        Held while this session writes; None to read only.
    """

    def __init__(self, root: Path, store: Store, lease: Lease | None = None) -> None:
        self.root, self.store, self.lease = root, store, lease

    def push(self, path: Path) -> None:
        """Commit one finished file; when this returns, a new head would find it.

        Raises
        ------
        UserError
            If the store cannot be written, or another session has taken the run over.
        """
        if self.lease:
            self.lease.check()
        content = path.read_bytes()
        name = f"{_FOLDER}/{path.relative_to(self.root).as_posix()}{_MARK}{_hash(content)}"
        with storage_errors(self.store.where):
            self.store.write_if_absent(name, content)

    def push_all(self, paths: Iterable[Path]) -> None:
        """Commit several finished files in order."""
        for path in paths:
            self.push(path)

    def push_outputs(self) -> None:
        """Copy what may change: options, time spent, and in the end the results."""
        if self.lease:
            self.lease.check()
        with storage_errors(self.store.where):
            for path in _matching(self.root, OUTPUTS):
                self.store.write(path.relative_to(self.root).as_posix(), path.read_bytes())

    def push_missing(self) -> None:
        """Commit what an earlier session finished here and could not copy any more."""
        with storage_errors(self.store.where):
            there = {name.rpartition(_MARK)[0] for name in self.store.list(_FOLDER)}
        for path in _matching(self.root, FINISHED):
            if f"{_FOLDER}/{path.relative_to(self.root).as_posix()}" not in there:
                self.push(path)

    def pull(self, *, replace_outputs: bool = False) -> int:
        """Fetch what the run folder lacks.

        Parameters
        ----------
        replace_outputs
            Whether outputs that are here already are replaced too.

        Returns
        -------
        int
            Files fetched.

        Raises
        ------
        UserError
            If the store cannot be read or an object is damaged.
        """
        with storage_errors(self.store.where):
            objects = self.store.list("")
            # of two sessions' versions of the same work, the first
            finished = sorted(
                (name for name in objects if _MARK in name),
                key=lambda name: (objects[name].modified_s, name),
            )
            wanted: dict[Path, str] = {}
            for name in finished:
                wanted.setdefault(self.root / _relative(name), name)
            missing = {path: name for path, name in wanted.items() if not path.exists()}
            marks = {p: n for p, n in missing.items() if p.name == "result.json"}
            others = {p: n for p, n in missing.items() if p not in marks}
            outputs = {
                self.root / name: name
                for name in objects
                if "/" not in name or name.endswith("/scores.tsv")
                if replace_outputs or not (self.root / name).exists()
            }
            # what says "finished" comes after what it speaks of
            for wave in (others, marks, outputs):
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    list(pool.map(self._fetch, wave, wave.values()))
        return len(missing) + len(outputs)

    def _fetch(self, path: Path, name: str) -> None:
        content = self.store.read(name)
        if _MARK in name and _hash(content) != name.rpartition(_MARK)[2]:
            raise UserError(
                f"{self.store.where} holds a damaged {name}; delete it to have it made anew"
            )
        write_bytes(path, content)


class NoMirror:
    """Of a sweep without a storage: its run folder is all there is."""

    def push(self, path: Path) -> None:
        """Do nothing."""

    def push_all(self, paths: Iterable[Path]) -> None:
        """Do nothing."""

    def push_outputs(self) -> None:
        """Do nothing."""


NO_MIRROR = NoMirror()


def _relative(name: str) -> str:
    return name.removeprefix(f"{_FOLDER}/").rpartition(_MARK)[0]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _matching(root: Path, patterns: Iterable[str]) -> list[Path]:
    found = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    return [path for path in found if path.is_file() and not path.name.startswith(".")]

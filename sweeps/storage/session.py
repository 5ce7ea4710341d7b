"""A sweep's session in its storage: the lease, and copies of finished work for a new head."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gx2c.errors import UserError
from gx2c.files import ordinary
from sweeps.folder.lock import refuse_links
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.records import write_bytes
from sweeps.storage.store import Lease, Store, open_store, storage_errors
from sweeps.storage.uri import join_uri

# Folders of a run's retrained models: its own, and those that it is compared with
COMPARED = ("", "coordinates/", "alone/")
# Files that are written once and never change; the one that marks work as finished comes last
FINISHED = (
    "records/**/config_*.json",
    "nulls/**/group_*.json",
    *(f"{run}retrained/**/*relmat.tsv" for run in COMPARED),
    "models/**/*.safetensors",
    "models/**/*.json",
    *(f"{run}retrained/**/result.json" for run in COMPARED),
)
# Files that a session may rewrite
OUTPUTS = ("*.*", "nulls/**/scores.tsv")
_FOLDER = "finished"
_MARK = ".sha256-"
_AT_ONCE = 16


class Mirror:
    """Copies finished files to a store, and back into an empty run folder.

    Each finished file is one immutable object whose name ends in the SHA-256 of its content, so a
    truncated or damaged copy is detected, and the same content is never written twice. Without a
    lease it only reads.
    """

    def __init__(self, root: Path, store: Store, lease: Lease | None = None) -> None:
        self.root, self.store, self.lease = root, store, lease

    def push(self, *paths: Path) -> None:
        """Commit finished files in order; once this returns, a new head can find them.

        Raises
        ------
        UserError
            If the store cannot be written, or another session has taken over the run.
        """
        for path in paths:
            with self._writing():
                content = path.read_bytes()
                self.store.write_if_absent(f"{self._name_of(path)}{_MARK}{_hash(content)}", content)

    def push_outputs(self) -> None:
        """Copy files that may change: options, time spent, and finally the results."""
        with self._writing():
            for path in _matching(self.root, OUTPUTS):
                self.store.write(path.relative_to(self.root).as_posix(), path.read_bytes())

    def push_missing(self) -> None:
        """Commit files that an earlier session finished here but could not copy."""
        with storage_errors(self.store.where):
            there = {name.rpartition(_MARK)[0] for name in self.store.list(_FOLDER)}
        here = _matching(self.root, FINISHED)
        self.push(*(path for path in here if self._name_of(path) not in there))

    def pull(self, *, replace_outputs: bool = False) -> int:
        """Fetch the files that the run folder lacks, and return their number.

        `replace_outputs` also replaces outputs that exist here.

        Raises
        ------
        UserError
            If the store cannot be read or an object is damaged.
        """
        with storage_errors(self.store.where):
            objects = self.store.list("")
            # if two sessions finished the same work, take the first version
            finished = sorted(
                (name for name in objects if _MARK in name), key=lambda name: (objects[name], name)
            )
            wanted: dict[Path, str] = {}
            for name in finished:
                path = name.removeprefix(f"{_FOLDER}/").rpartition(_MARK)[0]
                wanted.setdefault(self._target(name, path), name)
            missing = {path: name for path, name in wanted.items() if not path.exists()}
            marks = {p: n for p, n in missing.items() if p.name == "result.json"}
            others = {p: n for p, n in missing.items() if p not in marks}
            changing = {
                self._target(name, name): name
                for name in objects
                if "/" not in name or name.endswith("/scores.tsv")
            }
            outputs = {p: n for p, n in changing.items() if replace_outputs or not p.exists()}
            # the file that marks work as finished comes after the work itself
            for wave in (others, marks, outputs):
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    list(pool.map(self._fetch, wave, wave.values()))
        return len(missing) + len(outputs)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        if self.lease:
            self.lease.check()
        with storage_errors(self.store.where):
            yield

    def _target(self, name: str, relative: str) -> Path:
        """Return where an object is copied to; its name is data, and a bucket may hold any."""
        path = self.root / relative
        strange = {"", ".", ".."} & set(relative.split("/")) or "\0" in relative
        if strange or not path.resolve().is_relative_to(self.root.resolve()):
            raise UserError(
                f"{self.store.where} holds {name!r}, which would be written outside the run folder "
                "or through a link; do not trust it, or delete the object"
            )
        return path

    def _name_of(self, path: Path) -> str:
        return f"{_FOLDER}/{path.relative_to(self.root).as_posix()}"

    def _fetch(self, path: Path, name: str) -> None:
        content = self.store.read(name)
        if _MARK in name and _hash(content) != name.rpartition(_MARK)[2]:
            raise UserError(
                f"{self.store.where} holds a damaged {name}; delete it, and it will be recomputed"
            )
        write_bytes(path, content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _matching(root: Path, patterns: Iterable[str]) -> list[Path]:
    found = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def run_in_storage(storage: str, paths: SweepPaths) -> str:
    """Return the location of this run in a storage: the folder named like the run folder."""
    return join_uri(storage, paths.root.resolve().name)


def fetch_command(storage: str, paths: SweepPaths) -> str:
    """Return the command that fetches a run from the cluster; "" if it ran on this machine."""
    if storage:
        return f"gx2c fetch '{run_in_storage(storage, paths)}' --out runs/{paths.root.name}"
    if os.environ.get("RAY_ADDRESS"):
        return f"ray rsync-down CLUSTER.yaml '{paths.root.resolve()}/' runs/{paths.root.name}/"
    return ""


@contextlib.contextmanager
def storage_session(storage: str, paths: SweepPaths, *, resume: bool) -> Iterator[Mirror | None]:
    """Hold the lease on the run in `--storage`, if given; when resuming, first fetch missing files.

    Raises
    ------
    UserError
        If the storage cannot be used, another session holds the lease, or the storage already
        holds a run that is not being resumed.
    """
    if not storage:
        yield None
        return
    store = open_store(run_in_storage(storage, paths))
    with Lease(store) as lease:
        mirror = Mirror(paths.root, store, lease)
        if resume:
            mirror.pull()
            mirror.push_missing()
        else:
            _refuse_old_run(store, paths)
        yield mirror


def _refuse_old_run(store: Store, paths: SweepPaths) -> None:
    with storage_errors(store.where):
        old = paths.sweep.name in store.list("")
    if old:
        raise UserError(
            f"{store.where} holds a sweep already; "
            "add --resume to continue it, or give another --out"
        )


def fetch_run(where: str, paths: SweepPaths) -> int:
    """Fetch a run and return the number of files; a folder with another run is refused."""
    refuse_links(paths.root)
    store = open_store(where)
    with storage_errors(where):
        if paths.inputs.name not in store.list(""):
            raise UserError(f"{where} holds no sweep (no {paths.inputs.name})")
        theirs = store.read(paths.inputs.name)
    if paths.root.exists() and not (
        paths.inputs.exists() and ordinary(paths.inputs).read_bytes() == theirs
    ):
        check_new_folder(paths.root, hint="it holds another sweep; give another --out")
    return Mirror(paths.root, store).pull(replace_outputs=True)

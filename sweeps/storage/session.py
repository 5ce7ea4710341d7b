"""What a sweep does with its storage, from the claim on it to the last copy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from gx2c.errors import UserError
from sweeps.paths import SweepPaths, check_new_folder
from sweeps.storage.lease import Lease
from sweeps.storage.mirror import Mirror, NoMirror
from sweeps.storage.store import Store, open_store, storage_errors
from sweeps.storage.uri import join_uri


def run_in_storage(storage: str, paths: SweepPaths) -> str:
    """Return where a storage keeps this run: the folder that is named like the run folder."""
    return join_uri(storage, paths.root.resolve().name)


def fetch_command(storage: str, paths: SweepPaths) -> str:
    """Return the command that brings a run home from where it was computed; "" on this machine."""
    if storage:
        return f"gx2c fetch '{run_in_storage(storage, paths)}' --out runs/{paths.root.name}"
    if os.environ.get("RAY_ADDRESS"):
        return f"ray rsync-down CLUSTER.yaml '{paths.root.resolve()}/' runs/{paths.root.name}/"
    return ""


@contextlib.contextmanager
def storage_session(
    storage: str, paths: SweepPaths, *, resume: bool
) -> Iterator[Mirror | NoMirror]:
    """Hold the run's place in a storage; when resuming, first fetch what the run folder lacks.

    Parameters
    ----------
    storage
        Of the options; empty for none.
    paths
        Of the run, whose folder is locked.
    resume
        Whether the run goes on.

    Raises
    ------
    UserError
        If the storage cannot be used, another session works there, or a new run finds an old one.
    """
    if not storage:
        yield NoMirror()
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
    """Bring a run from a storage into a folder; return the number of files that were fetched.

    Raises
    ------
    UserError
        If there is no run, or the folder holds another one.
    """
    store = open_store(where)
    with storage_errors(where):
        if paths.inputs.name not in store.list(""):
            raise UserError(f"{where} holds no sweep (no {paths.inputs.name})")
        theirs = store.read(paths.inputs.name)
    if paths.root.exists() and not (paths.inputs.exists() and paths.inputs.read_bytes() == theirs):
        check_new_folder(paths.root, hint="it holds another sweep; give another --out")
    return Mirror(paths.root, store).pull(replace_outputs=True)

"""A sweep's session in its storage, from the lease to the last copy."""

import contextlib
import os
from collections.abc import Iterator

from gx2c.errors import UserError
from gx2c.files import ordinary
from sweeps.folder.lock import refuse_links
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.storage.lease import Lease
from sweeps.storage.mirror import Mirror
from sweeps.storage.store import Store, open_store, storage_errors
from sweeps.storage.uri import join_uri


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

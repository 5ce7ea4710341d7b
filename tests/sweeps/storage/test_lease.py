"""Two sessions never write the same run."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from waiting import until

from gx2c.errors import UserError
from sweeps.folder.lock import Holder
from sweeps.folder.paths import SweepPaths
from sweeps.storage.session import Mirror, storage_session
from sweeps.storage.store import Lease, Store, open_store


def claim_of(store: Store, **changes: object) -> str:
    """Leave the claim of another session."""
    holder = dataclasses.replace(Holder.me(), **changes)
    store.write("lease/other.json", holder.to_bytes())
    return "lease/other.json"


def test_a_second_session_is_refused_and_told_by_whom(store: Store) -> None:
    with Lease(store):
        with pytest.raises(UserError, match=f"in use .*process {Holder.me().pid} on "):
            with Lease(store):
                raise AssertionError("two leases at once")
        # the refused one has left nothing behind
        assert len(store.list("lease")) == 1
    assert store.list("lease") == {}
    with Lease(store):
        pass


def test_a_claim_on_another_machine_holds_until_it_is_stale(store: Store) -> None:
    claim_of(store, host="elsewhere")
    with pytest.raises(UserError, match="on elsewhere"), Lease(store):
        pass
    time.sleep(2.1)  # S3 counts whole seconds
    with Lease(store, stale_s=1.0):
        assert "lease/other.json" not in store.list("lease")


def test_a_claim_of_a_dead_process_here_does_not_hold(store: Store) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    claim_of(store, pid=int(child.stdout))
    with Lease(store):
        assert len(store.list("lease")) == 1


def test_a_namesake_machines_process_is_not_taken_for_dead(store: Store) -> None:
    claim_of(store, pid=2**22 + 1, boot="another boot")
    with pytest.raises(UserError), Lease(store):
        pass


def test_a_claim_that_is_no_claim_holds_until_it_is_stale(store: Store) -> None:
    store.write("lease/other.json", json.dumps([1]).encode())
    with pytest.raises(UserError, match="in use"), Lease(store):
        pass


def test_beats_keep_a_lease(store: Store) -> None:
    with Lease(store, beat_s=0.2) as lease:
        first = store.list("lease")[lease.name]
        # S3 counts whole seconds
        until(lambda: store.list("lease")[lease.name] > first)
        lease.check()


def test_a_session_that_was_overtaken_commits_nothing_more(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "records" / "config_00001.json"
    path.parent.mkdir()
    path.write_text("{}")
    with Lease(store, beat_s=0.1) as lease:
        # as a session does that found it stale; a heartbeat may just be writing it again
        until(lambda: store.delete(lease.name) or lease.lost)
        with pytest.raises(UserError, match="taken over"):
            Mirror(tmp_path, store, lease).push(path)
    assert store.list("finished") == {}


def test_of_many_at_once_at_most_one_goes_on(store: Store) -> None:
    together = threading.Barrier(6)
    inside, most = [], []

    def session() -> None:
        together.wait()
        try:
            with Lease(store):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.3)
                inside.pop()
        except UserError:
            pass

    threads = [threading.Thread(target=session) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most, default=0) <= 1


def test_a_new_run_does_not_write_into_an_old_one(tmp_path: Path) -> None:
    paths = SweepPaths(tmp_path / "run")
    storage = str(tmp_path / "storage")
    open_store(storage, "run").write("sweep.yaml", b"model: mlp\n")
    with pytest.raises(UserError, match="holds a sweep already; add --resume"):
        with storage_session(storage, paths, resume=False):
            pass
    with storage_session(storage, paths, resume=True):
        assert paths.sweep.read_text() == "model: mlp\n"

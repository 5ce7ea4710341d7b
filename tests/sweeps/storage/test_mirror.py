"""What is finished is found again by a new head, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import write_bytes, write_json
from sweeps.storage.session import Mirror, fetch_run
from sweeps.storage.store import Store, open_store


@pytest.fixture
def old(tmp_path: Path) -> SweepPaths:
    """A run folder with something of each kind."""
    paths = SweepPaths(tmp_path / "old")
    write_bytes(paths.sweep, b"model: mlp\n")
    write_json(paths.inputs, {"checksum": "1"})
    write_json(paths.record("mlp", 0, 3), {"number": 3})
    write_json(paths.retrained("mlp", 0), {"test": 1})
    write_bytes(paths.model_dir("mlp", 1, 0) / "arrays.safetensors", b"weights")
    write_json(paths.model_dir("mlp", 1, 0) / "model.json", {"model": "mlp"})
    write_json(paths.models, {"model": "mlp"})
    write_bytes(paths.predicted("mlp", 0, "tiny"), b"table")
    write_json(paths.null_group("mlp", 0, 1), {"scores": []})
    write_bytes(paths.null_scores("mlp"), b"null\n")
    # neither of these is of use to another head
    write_bytes(paths.tune / "trial" / "state.json", b"x")
    write_bytes(paths.root / ".lock", b"x")
    return paths


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def pushed(old: SweepPaths, store: Store) -> Mirror:
    mirror = Mirror(old.root, store)
    mirror.push_missing()
    mirror.push_outputs()
    return mirror


def test_a_new_head_gets_all_that_was_finished(
    old: SweepPaths, store: Store, tmp_path: Path
) -> None:
    pushed(old, store)
    new = tmp_path / "new"

    n_files = Mirror(new, store).pull()
    kept = {k: v for k, v in everything(old.root).items() if k[0] != "." and "tune" not in k}
    assert everything(new) == kept
    assert n_files == len(kept) == 10
    assert Mirror(new, store).pull() == 0


def test_a_finished_object_is_never_written_again(old: SweepPaths, store: Store) -> None:
    mirror = pushed(old, store)
    before = store.list("finished")

    mirror.push(old.record("mlp", 0, 3))
    mirror.push_missing()
    assert store.list("finished") == before
    assert len(before) == 6


def test_an_object_per_finished_thing_names_its_content(old: SweepPaths, store: Store) -> None:
    import hashlib

    pushed(old, store)
    for name in store.list("finished"):
        assert name.endswith(f".sha256-{hashlib.sha256(store.read(name)).hexdigest()}")


def test_a_damaged_object_is_refused(old: SweepPaths, store: Store, tmp_path: Path) -> None:
    pushed(old, store)
    name = next(name for name in store.list("finished") if "config_" in name)
    store.write(name, store.read(name)[:-3])

    with pytest.raises(UserError, match="damaged .*config_00003.*delete it"):
        Mirror(tmp_path / "new", store).pull()
    assert not SweepPaths(tmp_path / "new").record("mlp", 0, 3).exists()


def test_the_mark_of_a_finished_model_comes_last(
    old: SweepPaths, store: Store, tmp_path: Path
) -> None:
    pushed(old, store)
    name = next(name for name in store.list("finished") if "safetensors" in name)
    store.write(name, b"damaged")

    new = SweepPaths(tmp_path / "new")
    with pytest.raises(UserError, match="damaged"):
        Mirror(new.root, store).pull()
    assert not new.retrained("mlp", 0).exists()


def test_of_two_versions_the_first_counts(old: SweepPaths, store: Store, tmp_path: Path) -> None:
    # a session that was thought dead finished the same config, in another time
    pushed(old, store)
    write_json(old.record("mlp", 0, 3), {"number": 3, "seconds": 9})
    Mirror(old.root, store).push(old.record("mlp", 0, 3))

    assert len([name for name in store.list("finished") if "config_" in name]) == 2
    for head in ("one", "two"):
        Mirror(tmp_path / head, store).pull()
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


def test_what_is_here_is_kept(old: SweepPaths, store: Store, tmp_path: Path) -> None:
    pushed(old, store)
    new = SweepPaths(tmp_path / "new")
    write_json(new.record("mlp", 0, 3), {"mine": True})
    write_bytes(new.sweep, b"mine")

    Mirror(new.root, store).pull()
    assert b"mine" in new.record("mlp", 0, 3).read_bytes()
    assert new.sweep.read_bytes() == b"mine"


def test_fetching_brings_a_run_home_and_refreshes_it(
    old: SweepPaths, store: Store, tmp_path: Path
) -> None:
    pushed(old, store)
    home = SweepPaths(tmp_path / "home")
    assert fetch_run(store.where, home) == 10
    write_bytes(old.summary, b"{}")
    Mirror(old.root, store).push_outputs()
    fetch_run(store.where, home)
    assert home.summary.read_bytes() == b"{}"


def test_fetching_refuses_another_runs_folder_and_no_run(
    old: SweepPaths, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="holds no sweep"):
        fetch_run(store.where, SweepPaths(tmp_path / "home"))
    pushed(old, store)
    other = SweepPaths(tmp_path / "other")
    write_json(other.inputs, {"checksum": "2"})
    with pytest.raises(UserError, match="another sweep"):
        fetch_run(store.where, other)


@pytest.mark.parametrize(
    "name",
    [
        "finished/../../evil.json.sha256-{digest}",
        "finished//evil.json.sha256-{digest}",
        "finished/records/./../../../evil.json.sha256-{digest}",
        "finished//{root}/evil.json.sha256-{digest}",
        "nulls/../../evil/scores.tsv",
    ],
)
def test_a_key_that_leads_outside_the_run_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"evil"
    name = name.format(digest=hashlib.sha256(content).hexdigest(), root=tmp_path)
    store, paths = open_store(str(tmp_path / "store")), SweepPaths(tmp_path / "in" / "run")
    # object stores have keys that no file system has
    monkeypatch.setattr(Store, "list", lambda *_: {name: 1.0, "inputs.json": 1.0})
    monkeypatch.setattr(Store, "read", lambda *_: content)
    before = set(tmp_path.rglob("*"))
    for fetch in (lambda: Mirror(paths.root, store).pull(), lambda: fetch_run(store.where, paths)):
        with pytest.raises(UserError, match="outside") as caught:
            fetch()
        assert name in str(caught.value)
        assert set(tmp_path.rglob("*")) == before

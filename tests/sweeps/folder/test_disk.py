"""A disk that fills up at any write: a sentence, nothing damaged, the same result afterwards."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from open_study import opened
from sweep_fixtures import files_under, make_plan, run_board_serially

from gx2c.errors import UserError
from sweeps.folder import records as records_module
from sweeps.folder.disk import DiskBudget, disk_trouble_said, folder_bytes, refuse_disk_trouble
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.phases.study import write_study


def search(paths: SweepPaths) -> dict[str, Any]:
    """Run a tiny search from what its records hold; return the records without their times."""
    plan = make_plan("mlp", nulls=0)
    board = plan.board(paths)
    run_board_serially(plan, board)
    found = [json.loads(p.read_text()) for p in files_under(paths.root / "records")]
    times = dict.fromkeys(("seconds", "started", "ended", "sha256"))
    return {f"{r['model']} {r['fold']} {r['number']}": r | times for r in found}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return search(SweepPaths(tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    paths = SweepPaths(tmp_path_factory.mktemp("searched"))
    search(paths)
    return paths


class FullDisk:
    """Takes so many syncs and no more, as a disk does when written data meet its end."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sync = os.fsync

    def __call__(self, descriptor: int) -> None:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1
        self.sync(descriptor)


@pytest.mark.parametrize("room", [0, 1, 7, 30])
def test_a_full_disk_is_a_sentence_and_the_search_goes_on_afterwards(
    undisturbed, tmp_path, monkeypatch, room
):
    paths = SweepPaths(tmp_path / "run")
    monkeypatch.setattr(records_module.os, "fsync", FullDisk(room))
    with pytest.raises(UserError, match="No space left on device.*--resume") as caught:
        search(paths)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in files_under(paths.root)}
    assert all(path.suffix == ".json" for path in before), "half a file was left"
    # rename and folder are synced apart: the last record may be there in full
    assert room // 2 <= len(before) <= room // 2 + 1
    assert search(paths) == undisturbed
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written .*--resume"):
        write_json(tmp_path / "file" / "record.json", {})


def test_what_was_there_survives_a_write_that_fails(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_json(path, {"score": 1})
    monkeypatch.setattr(records_module.os, "fsync", FullDisk(0))
    with pytest.raises(UserError):
        write_json(path, {"score": 2})
    assert read_json(path) == {"score": 1}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content", [None, b"", b"not a database", b"SQLite format 3\0" + 99 * b"x"]
)
def test_a_damaged_or_missing_study_is_made_anew(searched, content):
    import optuna

    plan, paths = make_plan("mlp", nulls=0), searched
    paths.study.unlink(missing_ok=True)
    if content is not None:
        paths.study.write_bytes(content)
    write_study(plan, paths, plan.board(paths).records())
    with opened(paths.study) as storage:
        names = optuna.get_all_study_names(storage)
    parts = ("all_folds", "fold_0", "fold_1")
    assert set(names) == {f"{m}_{part}" for m in ("mlp", "geography") for part in parts}
    assert not [p for p in paths.root.iterdir() if p.name.startswith(".study")]


def test_a_study_that_cannot_be_written_is_a_sentence(tmp_path):
    plan = make_plan("mlp", nulls=0)
    with pytest.raises(UserError, match="study.db cannot be written"):
        write_study(plan, SweepPaths(tmp_path / "nowhere"), {("mlp", 0): []})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_an_error_of_the_disk_from_anywhere_is_a_sentence(number):
    with pytest.raises(UserError, match="--resume"), disk_trouble_said():
        raise OSError(number, os.strerror(number), "/some/file")
    with pytest.raises(FileNotFoundError), disk_trouble_said():
        raise FileNotFoundError(errno.ENOENT, "no such file")
    refuse_disk_trouble("ValueError: 28 is no number of layers")


def test_the_first_file_that_failed_is_named(tmp_path):
    """Those that follow from it, in clearing up or in Tune's own state, say less."""
    first, last = (OSError(errno.ENOSPC, "No space", f"/{name}") for name in ("first", "last"))
    with pytest.raises(UserError, match="/first") as caught:
        refuse_disk_trouble(f"OSError: {first}\n\nDuring handling:\nOSError: {last}\n")
    assert "/last" not in str(caught.value) and "\n" not in str(caught.value)
    for begun in (first, caught.value):
        with pytest.raises(UserError, match="/first") as said, disk_trouble_said():
            try:
                raise begun
            finally:
                raise last
        assert str(said.value).count("make room") == 1


def test_a_run_that_outgrows_its_limit_stops(tmp_path: Path):
    paths = SweepPaths(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * 1500)
    (tmp_path / "other").write_bytes(b"x" * 600)
    assert folder_bytes(tmp_path) == 2100
    DiskBudget(paths, 0.0).check()
    DiskBudget(paths, 2.2e-6).check()
    with pytest.raises(UserError, match="takes 2.1e-06 GB, more than --max-disk 2e-06"):
        DiskBudget(paths, 2e-6).check()


def test_a_limit_is_looked_at_now_and_then_only(tmp_path: Path):
    budget = DiskBudget(SweepPaths(tmp_path), 1e-9)
    budget.check()
    (tmp_path / "file").write_bytes(b"x" * 600)
    budget.check()
    budget.turns.due = 0.0
    with pytest.raises(UserError):
        budget.check()

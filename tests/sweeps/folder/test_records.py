from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from gx2c.errors import UserError
from gx2c.sealed import sealed
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import (
    ConfigRecord,
    RecordStore,
    finite_or_none,
    read_json,
    write_bytes,
    write_json,
)

RECORD = ConfigRecord(
    model="mlp",
    fold=1,
    number=3,
    batch=0,
    params={"learning_rate": 0.1 + 0.2, "hidden_dims": "64-32"},
    config={"model": "mlp"},
    seed=2**62 + 1,
    state="COMPLETE",
    score=-1 / 3,
    epochs=7,
    validation={"mse": 1e-300},
    curve=[{"epochs": 1, "score": None}],
)


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(SweepPaths(tmp_path))


def path_of(store: RecordStore, record: ConfigRecord = RECORD) -> Path:
    return store.paths.record(record.model, record.fold, record.number)


def test_a_record_comes_back_to_the_last_digit(store):
    store.save(RECORD)
    assert store.load("mlp", 1) == {3: RECORD}
    assert store.load("mlp", 0) == {}
    assert store.load("smt", 1) == {}


def test_numbers_that_json_does_not_have_become_null(tmp_path):
    content = {"a": math.nan, "b": [math.inf, (1.5, -math.inf)], "c": {"d": math.nan}, "e": 0.0}
    path = tmp_path / "x.json"
    write_json(path, content)
    expected = {"a": None, "b": [None, [1.5, None]], "c": {"d": None}, "e": 0.0}
    assert read_json(path) == expected
    assert json.loads(path.read_text()) == sealed(expected)
    assert finite_or_none(True) is True


@pytest.mark.parametrize("moment", ["write", "fsync", "rename"])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_crash_while_writing_leaves_the_old_file_or_none(tmp_path, monkeypatch, moment, before):
    path = tmp_path / "record.json"
    if before is not None:
        path.write_bytes(before)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt(moment)

    if moment == "rename":
        monkeypatch.setattr(Path, "replace", crash)
    elif moment == "fsync":
        monkeypatch.setattr(os, "fsync", crash)
    content = b"new" if moment != "write" else None
    with pytest.raises((KeyboardInterrupt, TypeError)):
        write_bytes(path, content)  # type: ignore[arg-type]
    assert (path.read_bytes() if path.exists() else None) == before


def test_what_a_crash_left_beside_a_record_is_no_record(store):
    store.save(RECORD)
    folder = path_of(store).parent
    (folder / ".config_00004.json.123").write_text('{"model"')
    assert list(store.load("mlp", 1)) == [3]


def test_folders_are_made(tmp_path):
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"x")
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["c.bin"], "and nothing else"


GOOD = json.dumps(asdict(RECORD))


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[: len(GOOD) // 2],
        "[]",
        "null",
        "{}",
        "not json",
        json.dumps({**asdict(RECORD), "colour": "red"}),
        json.dumps({k: v for k, v in asdict(RECORD).items() if k != "seed"}),
        json.dumps(asdict(replace(RECORD, number=4))),
        json.dumps(asdict(replace(RECORD, fold=0))),
        json.dumps({**asdict(RECORD), "number": "three"}),
        json.dumps({**asdict(RECORD), "fold": None}),
    ],
)
def test_a_damaged_record_is_named(store, text):
    path = path_of(store)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UserError, match="delete it, and gx2c makes it again") as caught:
        store.load("mlp", 1)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "change", [('"epochs": 7', '"epochs": 3'), ("sha256", "sha257"), ("0.30000", "0.20000")]
)
def test_a_changed_character_is_named(store, change):
    store.save(RECORD)
    path = path_of(store)
    text = path.read_text()
    assert text.count(change[0]) == 1
    path.write_text(text.replace(*change))
    with pytest.raises(UserError, match=r"config_00003\.json is damaged or was edited"):
        store.load("mlp", 1)


def test_bytes_that_are_no_text_are_named(store):
    path = path_of(store)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match=r"config_00003\.json"):
        store.load("mlp", 1)


class TestEarlierVersions:
    """What a version wrote that said passes where this one says epochs."""

    def earlier(self, **more: object) -> str:
        plain = {**asdict(RECORD), "config": {"model": "mlp", "training": {"max_passes": 9}}}
        plain["passes"] = plain.pop("epochs")
        return json.dumps(plain | {"curve": [{"passes": 1, "score": None}], **more})

    def test_a_record_is_read(self, store):
        write_bytes(path_of(store), self.earlier().encode())
        config = {"model": "mlp", "training": {"max_epochs": 9}}
        assert store.load("mlp", 1) == {3: replace(RECORD, config=config)}

    def test_a_record_of_a_yet_earlier_one_is_refused_with_what_to_do(self, store):
        write_bytes(path_of(store), self.earlier(passes_s=1.0).encode())
        with pytest.raises(
            UserError, match=r"another version.*; delete it, and gx2c makes it again"
        ):
            store.load("mlp", 1)

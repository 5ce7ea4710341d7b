"""Every kind of store does the same."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.storage.store import Store, open_store, storage_errors
from sweeps.storage.uri import check_storage, join_uri


def test_what_was_written_is_read_back(store: Store) -> None:
    store.write("a/b.json", b"one")
    assert store.read("a/b.json") == b"one"
    store.write("a/b.json", b"two")
    assert store.read("a/b.json") == b"two"


def test_what_is_there_is_not_written_again(store: Store) -> None:
    assert store.write_if_absent("a/b", b"one")
    assert not store.write_if_absent("a/b", b"other")
    assert store.read("a/b") == b"one"


def test_a_listing_names_objects_with_the_time_of_their_writing(store: Store) -> None:
    for name in ("a/b", "a/c/d", "top"):
        store.write(name, b"x" * len(name))
    assert set(store.list("")) == {"a/b", "a/c/d", "top"}
    listed = store.list("a")
    assert set(listed) == {"a/b", "a/c/d"}
    assert all(abs(written_s - time.time()) < 60 for written_s in listed.values())
    assert store.list("nothing") == {}


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("nothing")
    store.delete("nothing")


def test_deleting(store: Store) -> None:
    for name in ("a/b", "a/c/d", "ab"):
        store.write(name, b"x")
    store.delete("a/b")
    assert set(store.list("")) == {"a/c/d", "ab"}


def test_a_file_that_is_being_written_is_not_listed(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write("a/b", b"x")
    (tmp_path / "a" / ".c.123").write_bytes(b"half")
    assert set(store.list("")) == {"a/b"}


def test_a_bucket_that_does_not_exist_is_one_sentence(s3: str) -> None:
    store = open_store(s3.replace("gx2c-test", "gx2c-none"))
    with pytest.raises(UserError, match="cannot be used.*check that it exists"):
        with storage_errors(store.where):
            store.write("a", b"x")


@pytest.mark.parametrize(
    ("storage", "problem"),
    [
        ("", ""),
        ("runs/here", ""),
        ("s3://bucket/a?endpoint_override=127.0.0.1:9000", ""),
        ("gs://bucket", ""),
        ("gs://anonymous@bucket", ""),
        ("ftp://host/a", "storage ftp:// is not known"),
        ("s3://", "storage s3:// is not known"),
        ("s3://key:word@bucket/a", "contains a secret"),
        ("s3://bucket/a?secret_key=word", "contains a secret"),
    ],
)
def test_what_can_be_a_storage(storage: str, problem: str) -> None:
    if not problem:
        check_storage(storage)
        return
    with pytest.raises(UserError, match=problem) as caught:
        check_storage(storage)
    assert "word" not in str(caught.value)


def test_folders_join_before_the_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert join_uri("s3://b/a/?x=1", "run", "tune") == "s3://b/a/run/tune?x=1"
    assert join_uri("gs://b", "run") == "gs://b/run"
    assert join_uri("keep", "run") == str(tmp_path / "keep" / "run")

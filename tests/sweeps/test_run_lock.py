"""A second sweep on a run folder is refused; the lock of a dead process is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.paths import LOCK_FILE, check_new_folder
from sweeps.run_lock import FolderLock, Holder, in_use

HOLD = """
import sys
from pathlib import Path
from sweeps.run_lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the lock of tmp_path/run."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_sweep_is_refused_in_one_sentence_that_names_the_first(other, tmp_path):
    with pytest.raises(UserError) as caught, FolderLock(tmp_path / "run"):
        pass
    said = str(caught.value)
    assert f"process {other.pid} on " in said and "give another --out" in said
    assert "\n" not in said
    assert (tmp_path / "run" / LOCK_FILE).exists(), "the refused one took the lock file away"


def test_the_lock_of_a_dead_process_is_taken_over(other, tmp_path):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / "run" / LOCK_FILE).exists()
    with FolderLock(tmp_path / "run"):
        holder = Holder.from_bytes((tmp_path / "run" / LOCK_FILE).read_bytes())
        assert holder and holder.pid == os.getpid()


def test_a_folder_with_the_lock_of_a_sweep_that_died_as_it_began_is_new(tmp_path):
    (tmp_path / LOCK_FILE).write_bytes(Holder.me().to_bytes())
    check_new_folder(tmp_path, hint="")


def test_a_lock_is_free_again_afterwards_and_leaves_nothing(tmp_path):
    for _ in range(2):
        with FolderLock(tmp_path / "run"):
            pass
    assert not (tmp_path / "run").exists()


def test_a_folder_with_content_or_of_others_stays(tmp_path):
    (tmp_path / "empty").mkdir()
    with FolderLock(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty").exists()
    with FolderLock(tmp_path / "run"):
        (tmp_path / "run" / "result").write_text("1")
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["result"]


def test_one_of_two_in_a_process_is_refused_too(tmp_path):
    with FolderLock(tmp_path / "run"):
        with pytest.raises(UserError, match="in use by a sweep"), FolderLock(tmp_path / "run"):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"), FolderLock(tmp_path / "file" / "run"):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": 1}', b"\xff"])
def test_a_damaged_lock_file_is_no_reason_to_fail(tmp_path, content):
    assert Holder.from_bytes(content) is None
    assert "another" in str(in_use(tmp_path, None))
    (tmp_path / LOCK_FILE).write_bytes(content)
    with FolderLock(tmp_path):
        pass

"""A second sweep on a run folder is refused; the lock of a dead process is not."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.folder.lock import Holder, folder_lock, holder_of, in_use
from sweeps.folder.paths import LOCK_FILE, check_new_folder

HOLD = """
import sys
from pathlib import Path
from sweeps.folder.lock import folder_lock
with folder_lock(Path(sys.argv[1])):
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
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_sweep_is_refused_in_one_sentence_that_names_the_first(other, tmp_path):
    with pytest.raises(UserError) as caught, folder_lock(tmp_path / "run"):
        pass
    said = str(caught.value)
    assert f"process {other.pid} on " in said and "give another --out" in said
    assert "\n" not in said
    assert (tmp_path / "run" / LOCK_FILE).exists(), "the refused one took the lock file away"


def test_the_lock_of_a_dead_process_is_taken_over(other, tmp_path):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / "run" / LOCK_FILE).exists()
    with folder_lock(tmp_path / "run"):
        holder = Holder.from_bytes((tmp_path / "run" / LOCK_FILE).read_bytes())
        assert holder and holder.pid == os.getpid()


def test_a_folder_with_the_lock_of_a_sweep_that_died_as_it_began_is_new(tmp_path):
    (tmp_path / LOCK_FILE).write_bytes(Holder.me().to_bytes())
    check_new_folder(tmp_path, hint="")


def test_a_lock_is_free_again_afterwards_and_leaves_nothing(tmp_path):
    for _ in range(2):
        with folder_lock(tmp_path / "run"):
            pass
    assert not (tmp_path / "run").exists()


def test_a_folder_with_content_or_of_others_stays(tmp_path):
    (tmp_path / "empty").mkdir()
    with folder_lock(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty").exists()
    with folder_lock(tmp_path / "run"):
        (tmp_path / "run" / "result").write_text("1")
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["result"]


def test_one_of_two_in_a_process_is_refused_too(tmp_path):
    with folder_lock(tmp_path / "run"):
        with pytest.raises(UserError, match="in use by a sweep"), folder_lock(tmp_path / "run"):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(UserError, match="cannot be written"),
        folder_lock(tmp_path / "file" / "run"),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": 1}', b"\xff"])
def test_a_damaged_lock_file_is_no_reason_to_fail(tmp_path, content):
    assert Holder.from_bytes(content) is None
    assert "another" in str(in_use(tmp_path, None))
    (tmp_path / LOCK_FILE).write_bytes(content)
    with folder_lock(tmp_path):
        pass


def test_a_file_system_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def refuse(fd: int) -> bool:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("filelock._unix.lock_fd_nonblocking", refuse)
    with folder_lock(tmp_path / "run"):
        assert holder_of(tmp_path / "run")
    assert "without locks" in caplog.text

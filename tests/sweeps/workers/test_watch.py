"""Ray may end a sweep in silence: its last word is another process's."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

# Its worker is known by the environment, its raylet by a line
DRIVER = """
import os, subprocess, sys
from sweeps.workers.watch import DONE, MARK, SAID, _last_word
os.environ[MARK] = str(os.getpid())
with _last_word() as note:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    raylet = subprocess.Popen(["sleep", "100"], env={}, **quiet)
    worker = subprocess.Popen(["sleep", "100"], **quiet)
    note(f"raylet {raylet.pid}\\n")
    print(raylet.pid, worker.pid, flush=True)
    if "dies" in sys.argv:
        raylet.kill()
        raylet.wait()
    if "said" in sys.argv:
        note(SAID)
    if "done" in sys.argv:
        note(DONE)
    os._exit(1)
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux's handles of processes"
)


def ended(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("how", "sentences", "left"), [("dies", 1, 0), ("dies said", 0, 0), ("", 0, 0), ("done", 0, 2)]
)
def test_the_last_word_of_a_driver_that_ends_in_silence(how, sentences, left):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *how.split()], capture_output=True, text=True, timeout=60
    )
    assert done.stderr.count("gx2c: Ray's raylet died") == sentences
    assert done.stderr.count("--resume") == sentences
    pids = [int(word) for word in done.stdout.split()]
    # the output ends after the last word; whom it killed takes a moment to vanish
    end = time.monotonic() + 10
    while len([pid for pid in pids if not ended(pid)]) > left and time.monotonic() < end:
        time.sleep(0.02)
    alive = [pid for pid in pids if not ended(pid)]
    subprocess.run(["kill", "-9", *map(str, alive)], check=bool(alive), capture_output=True)
    assert len(alive) == left

"""Notice at once when a part of this machine's Ray dies; Ray itself exits in silence, or waits."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from ray._private import ray_constants, worker

# of Ray, which brings it along
from ray._private.utils import psutil

EXIT_CODE = 2
PARTS = (ray_constants.PROCESS_TYPE_RAYLET, ray_constants.PROCESS_TYPE_GCS_SERVER)
# Whoever signals all processes of a job also signals this one, which then prints its own sentence
GRACE_S = 5.0
_ending = threading.Lock()
# of Linux's prctl
_PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def parts_watched() -> Iterator[None]:
    """Within this context, the death of a part of Ray ends this process with a sentence.

    Nobody else can: Ray's own code ends or blocks the threads that would raise an exception.
    """
    ended = threading.Event()
    _adopt_orphans(True)
    with _signals_noted() as signals:
        for name, process in _parts():
            threading.Thread(
                target=_wait_for, args=(name, process, ended, signals), daemon=True
            ).start()
        try:
            yield
        finally:
            ended.set()
            _adopt_orphans(False)


def _parts() -> Iterator[tuple[str, "subprocess.Popen[bytes] | psutil.Process"]]:
    """Find the raylet, the GCS, and the agents, without which the raylet ends in silence."""
    for name in PARTS:
        for part in worker._global_node.all_processes.get(name, ()):
            yield name, part.process
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(part.process.pid).children():
                    if "agent" in " ".join(child.cmdline()).lower():
                        yield "agent", child


@contextlib.contextmanager
def _signals_noted() -> Iterator[int]:
    """Yield a file that can be read once this process got a signal, even before it acts on it."""
    noted, note = os.pipe()
    os.set_blocking(note, False)
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.set_wakeup_fd(note, warn_on_full_buffer=False) if in_main else -1
    try:
        yield noted
    finally:
        if in_main:
            signal.set_wakeup_fd(before)
        os.close(note)
        os.close(noted)


def _wait_for(
    name: str,
    process: "subprocess.Popen[bytes] | psutil.Process",
    ended: threading.Event,
    signals: int,
) -> None:
    _wait_quickly(process)
    if ended.is_set():
        return
    signalled, _, _ = select.select([signals], [], [], 0)
    # one sentence is enough, though the other part dies with this one
    if not ended.wait(GRACE_S if signalled else 0.0) and _ending.acquire(blocking=False):
        _end(name)


def _wait_quickly(process: "subprocess.Popen[bytes] | psutil.Process") -> None:
    """Wait for an end; psutil looks 25 times a second, and Ray ends this process within a tenth."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(process.pid)
            select.select([handle], [], [])
            os.close(handle)
            return
    process.wait()


def _end(name: str) -> NoReturn:
    # Ray ends this process within a tenth of a second, with another exit code: other threads wait
    sys.setswitchinterval(1e-6)
    sentence = (
        f"gx2c: Ray's {name} died, perhaps for want of memory; run the same command with --resume: "
        "nothing finished is lost"
    )
    line = "\n" * sys.stderr.isatty() + sentence + "\n"
    os.write(sys.stderr.fileno(), line.encode())
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()
    os._exit(EXIT_CODE)


def _adopt_orphans(ours: bool) -> None:
    """Let this process become the parent of a dead raylet's workers, which it can then end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(ours), 0, 0, 0)

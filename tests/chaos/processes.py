"""Who works for a sweep, whether it is busy, and its end by SIGKILL."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

# Titles that Ray gives to workers while they run a piece of a sweep
AT_WORK = (
    "ray::ResourceTrainable.train",
    "ray::ResourceTrainable.save",
    "ray::retrain_one",
    "ray::run_null_group",
)


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def descendants(root: int) -> list[int]:
    """Return all processes below one, those of other sessions too."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def busy(pids: Iterable[int], *, patience_s: float = 1.0) -> dict[int, tuple[float, str]]:
    """Return the processes that use the processor just now, with seconds used and title.

    Only those count whose title says that they do a piece of a sweep.
    """
    titles = {pid: title(pid) for pid in pids}
    workers = [pid for pid, text in titles.items() if text.startswith(AT_WORK)]
    before = {pid: _processor_s(pid) for pid in workers}
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        time.sleep(0.02)
        used = {pid: _processor_s(pid) - before[pid] for pid in workers}
        if found := {pid: (s, titles[pid]) for pid, s in used.items() if s > 0}:
            return found
    return {}


def uses_processor(pid: int, *, patience_s: float = 1.0) -> float:
    """Return the processor seconds that one process uses until it uses any."""
    before, end = _processor_s(pid), time.monotonic() + patience_s
    while (used := _processor_s(pid) - before) <= 0 and time.monotonic() < end:
        time.sleep(0.01)
    return used


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

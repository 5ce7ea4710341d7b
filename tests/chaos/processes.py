"""Who works for a sweep, whether it is busy, and its end by SIGKILL or pause by SIGSTOP."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# Titles that Ray gives to workers while they run a piece of a sweep
AT_WORK = re.compile(r"ray::(\S+ fold \d+ config \d|retrain \S+ fold|nulls \S+ fold)")


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


def busy(
    members: Callable[[], list[int]], *, patience_s: float = 1.0
) -> dict[int, tuple[float, str]]:
    """Return a process that uses the processor just now, with seconds used and title.

    Only those count whose title says that they do a piece of a sweep. Members and titles are
    read again and again, for a piece may be done in a fraction of a second.
    """
    before: dict[int, float] = {}
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        for pid in members():
            text = title(pid)
            if not AT_WORK.match(text):
                before.pop(pid, None)
                continue
            used = _processor_s(pid) - before.setdefault(pid, _processor_s(pid))
            if used > 0:
                return {pid: (used, text)}
        time.sleep(0.01)
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


def freeze(pid: int, seconds: float) -> None:
    """Stop a process, and let it go on after a time."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""One line of progress of a running sweep, and the time of its phases."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_as, write_json

PHASES = ("start", "search", "retrain", "nulls")
PLAIN_INTERVAL_S = 5.0
# Who watches a log for longer takes the sweep for frozen
LONGEST_INTERVAL_S = 60.0
LIVE_INTERVAL_S = 0.5
# Jupyter's kernels give it to their children
IN_NOTEBOOK = "JPY_PARENT_PID"


@dataclass
class Phase:
    """The current phase: its name, and functions for its text and its finished share (0 to 1)."""

    name: str
    text: Callable[[], str] = field(default=lambda: "")
    share: Callable[[], float] = field(default=lambda: 0.0)


def progress_console() -> Console:
    """Return standard error; in a notebook, whose cells keep every update, it is no terminal."""
    in_notebook = IN_NOTEBOOK in os.environ
    return Console(stderr=True, highlight=False, force_terminal=False if in_notebook else None)


class ProgressLine:
    """Shows the current phase: a live line on a terminal, else plain lines, at last one a minute.

    It is written to standard error by default, so that results can be piped.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or progress_console()
        self.phase, self.share_before = Phase("starting"), 0.0
        self.started = self.phase_started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def begin(self, phase: Phase) -> None:
        """Show another phase."""
        self.phase, self.phase_started = phase, time.monotonic()
        # an earlier session did this much, in a time that is not known
        self.share_before = phase.share()

    def line(self) -> str:
        """Return the current line."""
        elapsed = time.monotonic() - self.started
        # times first and the least important last: a terminal of 80 columns truncates the end
        parts = [self.phase.name, clock(elapsed), self._eta(), self.phase.text()]
        return " ".join(part for part in parts if part)

    def _eta(self) -> str:
        share = self.phase.share()
        spent = time.monotonic() - self.phase_started
        done = share - self.share_before
        if done <= 0 or share >= 1 or spent < 2:
            return ""
        return f"ETA {clock(spent * (1 - share) / done)}"

    def _plain_interval_s(self) -> float:
        """Grow with the time that has passed: a long sweep would fill a log or a notebook."""
        grown = (time.monotonic() - self.started) / 5
        return max(PLAIN_INTERVAL_S, min(grown, LONGEST_INTERVAL_S))

    def _run(self) -> None:
        if not self.console.is_terminal:
            while not self._stop.wait(self._plain_interval_s()):
                print(self.line(), file=sys.stderr, flush=True)
            return
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while not self._stop.wait(LIVE_INTERVAL_S):
                live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)


def clock(seconds: float) -> str:
    """Return 75 as "1:15" and 3675 as "1:01:15"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class PhaseClock:
    """Sums seconds per phase in the run folder, where a resumed sweep continues."""

    def __init__(self, paths: SweepPaths) -> None:
        self.paths = paths
        self.seconds = dict.fromkeys(PHASES, 0.0)
        if paths.seconds.exists():
            self.seconds |= read_as(dict[str, float], paths.seconds)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] += time.monotonic() - started
            # a folder without options is not ours to write in
            if self.paths.sweep.exists():
                write_json(self.paths.seconds, self.seconds)

    def totals(self) -> dict[str, float]:
        """Return each phase and the total."""
        return {"total": sum(self.seconds.values())} | self.seconds

"""One quiet line about a sweep at work."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.text import Text

PLAIN_INTERVAL_S = 5.0
LIVE_INTERVAL_S = 0.5


@dataclass
class Phase:
    """What is being done and how far it is.

    Attributes
    ----------
    name
        Of the phase.
    text
        Returns what to show.
    share
        Returns the share done, 0 to 1.
    """

    name: str
    text: Callable[[], str] = field(default=lambda: "")
    share: Callable[[], float] = field(default=lambda: 0.0)


class ProgressLine:
    """Shows the current phase: a live line on a terminal, else a plain line now and then.

    Parameters
    ----------
    console
        Where to; standard error by default, so that results can be piped.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.phase = Phase("starting")
        self.started = self.phase_started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ProgressLine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def begin(self, phase: Phase) -> None:
        """Show another phase from now on."""
        self.phase, self.phase_started = phase, time.monotonic()

    def line(self) -> str:
        """Return the line as it is now."""
        elapsed = time.monotonic() - self.started
        # times first and what matters least last: a terminal of 80 columns cuts the end
        parts = [self.phase.name, clock(elapsed), self._eta(), self.phase.text()]
        return " ".join(part for part in parts if part)

    def _eta(self) -> str:
        share = self.phase.share()
        spent = time.monotonic() - self.phase_started
        if not 0.02 < share < 1 or spent < 2:
            return ""
        return f"ETA {clock(spent / share - spent)}"

    def _run(self) -> None:
        if self.console.is_terminal:
            self._run_live()
        else:
            self._run_plain()

    def _run_live(self) -> None:
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while not self._stop.wait(LIVE_INTERVAL_S):
                live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _run_plain(self) -> None:
        while not self._stop.wait(PLAIN_INTERVAL_S):
            print(self.line(), file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return 75 as "1:15" and 3675 as "1:01:15"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

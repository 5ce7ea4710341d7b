from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console
from waiting import until

from sweeps.run import progress
from sweeps.run.progress import Phase, ProgressLine, clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (5.9, "0:05"),
        (75, "1:15"),
        (3599, "59:59"),
        (3675, "1:01:15"),
        (90061, "25:01:01"),
    ],
)
def test_a_clock_reads_like_a_clock(seconds, text):
    assert clock(seconds) == text


def test_the_line_says_phase_text_time_and_what_is_left(monkeypatch):
    line = ProgressLine()
    share = iter([0.0, 0.25])
    line.begin(Phase("search smt", lambda: "configs 4/16", lambda: next(share)))
    start = line.started = line.phase_started = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: start + 60.0)
    assert line.line() == "search smt 1:00 ETA 3:00 configs 4/16"


@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_nothing_is_foretold_before_anything_is_done_or_at_the_end(monkeypatch, share):
    line = ProgressLine()
    line.begin(Phase("nulls", share=lambda: share))
    now = line.started + 60.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert "ETA" not in line.line()


def test_a_new_phase_starts_its_own_estimate(monkeypatch):
    line = ProgressLine()
    start = line.started
    monkeypatch.setattr(time, "monotonic", lambda: start + 100.5)
    share = iter([0.0, 0.5])
    line.begin(Phase("nulls", share=lambda: next(share)))
    monkeypatch.setattr(time, "monotonic", lambda: start + 110.5)
    assert line.line() == "nulls 1:50 ETA 0:10"


def test_without_a_terminal_there_is_a_plain_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.02)
    with ProgressLine(Console(file=io.StringIO())) as line:
        line.begin(Phase("search", lambda: "configs 1/2"))
        read = []
        until(lambda: read.append(capsys.readouterr().err) or "".join(read).count("\n") >= 2)
    error = "".join(read)
    assert re.match(r"(search 0:\d\d configs 1/2\n){2}", error)
    assert "\x1b" not in error and "\r" not in error


@pytest.mark.parametrize(("passed_s", "wait_s"), [(1, 5), (100, 20), (36_000, 60)])
def test_plain_lines_become_fewer_until_one_a_minute(monkeypatch, passed_s, wait_s):
    line = ProgressLine()
    monkeypatch.setattr(time, "monotonic", lambda: line.started + passed_s)
    assert line._plain_interval_s() == pytest.approx(wait_s)


def test_a_notebook_is_no_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert progress.progress_console().is_terminal
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert not ProgressLine().console.is_terminal


def test_on_a_terminal_the_line_lives_and_goes(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LIVE_INTERVAL_S", 0.02)
    # where tests run without a terminal it may be "dumb"
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    with ProgressLine(Console(file=screen, force_terminal=True, width=60)) as line:
        line.begin(Phase("search", lambda: "x" * 100))
        until(lambda: "search" in screen.getvalue())
    # one line, however narrow the terminal
    assert "x" * 61 not in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K") or "\x1b[?25h" in screen.getvalue()
    assert capsys.readouterr().err == ""


def test_all_that_matters_fits_eighty_columns(monkeypatch):
    line = ProgressLine()
    text = "folds 4/4 configs 32/32 (24 pruned, 0 failed) best -0.0262"
    share = iter([0.0, 0.5])
    line.begin(Phase("search", lambda: text, lambda: next(share)))
    start = line.started = line.phase_started = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: start + 540.0)
    assert len(line.line()) <= 80


def test_the_thread_ends_with_the_block():
    with ProgressLine(Console(file=io.StringIO())) as line:
        assert line._thread.is_alive()
    assert not line._thread.is_alive()

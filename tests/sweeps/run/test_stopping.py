"""Signals and the end of the time stop a sweep once, and say how to go on."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from sweeps.cli.sweep import resume_command
from sweeps.run.stopping import Stopped, stops_cleanly


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [(signal.SIGINT, 130, "stopped"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
)
def test_a_signal_stops_with_the_shell_s_exit_code(number, code, reason):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as caught, stops_cleanly():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert (caught.value.exit_code, caught.value.reason) == (code, reason)
    assert signal.getsignal(number) is before


def test_a_closed_terminal_stops_a_sweep_too(monkeypatch):
    # without the handler of a sweep it would end the test run
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(Stopped, match="terminal") as caught, stops_cleanly():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.5)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert caught.value.exit_code == 129


def test_a_sweep_that_wrote_nothing_is_started_again_not_resumed(tmp_path):
    words = ["gx2c", "sweep", "smt", "--seed", "3"]
    assert "--resume" not in resume_command(words, tmp_path / "none")
    (tmp_path / "sweep.yaml").touch()
    assert resume_command(words, tmp_path).endswith(f"--resume --out {tmp_path}")


def test_the_end_of_the_time_stops_whatever_the_clock_says(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    started = time.monotonic()
    with pytest.raises(Stopped, match="--time-budget") as caught, stops_cleanly(0.2):
        while time.monotonic() < started + 30:
            time.sleep(0.01)
    assert caught.value.exit_code == 124
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_reason_passes_through_an_outer_guard():
    with pytest.raises(Stopped, match="--time-budget") as caught, stops_cleanly():
        with stops_cleanly(0.05):
            time.sleep(5)
    assert caught.value.exit_code == 124


def test_a_signal_is_remembered_where_ray_replaces_what_it_raised():
    with pytest.raises(Stopped, match="SIGTERM"), stops_cleanly():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except Stopped:
            raise KeyboardInterrupt from None


def test_a_sweep_that_ends_in_time_is_not_stopped():
    with stops_cleanly(60.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_another_thread_has_no_signals():
    done = []

    def work() -> None:
        with stops_cleanly(0.01):
            time.sleep(0.1)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (
            ["/x/bin/gx2c", "sweep", "smt", "--seed", "2"],
            "gx2c sweep smt --seed 2 --resume --out 'my run'",
        ),
        (
            ["/x/sweeps/cli/app.py", "sweep", "smt", "--out", "a", "--resume"],
            "gx2c sweep smt --resume --out 'my run'",
        ),
        (
            ["sweeps/smt.py", "--out=a", "--genes", "500_var"],
            "python sweeps/smt.py --genes 500_var --resume --out 'my run'",
        ),
        (
            ["sweeps/model.py", "mlp", "--out=a"],
            "python sweeps/model.py mlp --resume --out 'my run'",
        ),
    ],
)
def test_the_command_that_goes_on_is_the_one_that_started(
    arguments, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("my run").mkdir()
    Path("my run", "sweep.yaml").touch()
    assert resume_command(arguments, Path("my run")) == command

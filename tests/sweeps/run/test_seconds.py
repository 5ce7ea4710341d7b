from __future__ import annotations

import time
from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.run.progress import PHASES, PhaseClock


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    """A run folder with options in it."""
    (tmp_path / "run").mkdir()
    paths = SweepPaths(tmp_path / "run")
    paths.sweep.write_text("")
    return paths


def test_sessions_add_up(paths, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(2):
        clock = PhaseClock(paths)
        with clock.phase("search"):
            now[0] += 10.0
        with clock.phase("nulls"):
            now[0] += 1.0
    assert clock.totals() == {
        "total": 22.0, "start": 0.0, "search": 20.0, "retrain": 0.0, "nulls": 2.0
    }  # fmt: skip


def test_time_counts_when_a_phase_fails(paths, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with pytest.raises(KeyboardInterrupt), PhaseClock(paths).phase("retrain"):
        now[0] += 3.0
        raise KeyboardInterrupt
    assert PhaseClock(paths).seconds["retrain"] == 3.0


def test_a_folder_without_a_sweep_is_left_alone(tmp_path):
    for folder in (tmp_path, tmp_path / "new"):
        with PhaseClock(SweepPaths(folder)).phase("start"):
            pass
    assert not any(tmp_path.iterdir())


def test_damaged_times_are_named(paths):
    paths.seconds.write_text("{")
    with pytest.raises(UserError, match=r"seconds\.json"):
        PhaseClock(paths)


def test_every_phase_of_the_summary_is_there(paths):
    assert set(PhaseClock(paths).totals()) == {"total", *PHASES}

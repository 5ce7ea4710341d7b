"""Faults of the machine, injected into real sweeps: a sentence, then the same result."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_sweeps import (
    finished_files,
    gx2c,
    kill_driver,
    members_of,
    result_of,
    start_gx2c,
    sweep,
    sweep_arguments,
    title_of,
    wait_for,
)

from sweeps.folder.paths import SweepPaths

pytestmark = pytest.mark.slow

# Imported by every Python process of a sweep: the wall clock leaps a day ahead and back
JUMPING_CLOCK = """
import time
_real, _n = time.time, [0]
def _jumping():
    _n[0] += 1
    return _real() + (86400.0 if _n[0] % 7 < 3 else -86400.0 if _n[0] % 7 < 5 else 0.0)
time.time = _jumping
"""
NO_NULLS = ("--nulls", "0")


def errors_at_the_end(process: subprocess.Popen[str], *, patience_s: float) -> str:
    """Return standard error of a sweep that must end by itself; leave none behind."""
    try:
        return process.communicate(timeout=patience_s)[1]
    finally:
        if process.poll() is None:
            kill_driver(process)


@pytest.fixture(scope="module")
def undisturbed(tiny_dataset, tmp_path_factory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("whole") / "run"
    return result_of(sweep("geography", tiny_dataset, out, *NO_NULLS))


class SmallDisk:
    """A file system of its own, whose size and rights can be changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, options: str) -> bool:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], capture_output=True, check=False)


@pytest.fixture
def disk(tmp_path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk")
    disk.path.mkdir()
    if not disk.mount("size=64k"):
        pytest.skip("only root can make a small disk")
    yield disk
    disk.unmount()


def test_a_disk_that_is_full_then_read_only_then_large_enough(undisturbed, tiny_dataset, disk):
    paths = SweepPaths(disk.path / "run")
    arguments = sweep_arguments("geography", tiny_dataset, paths.root, *NO_NULLS)
    full = gx2c(*arguments, cwd=disk.path.parent)
    assert full.returncode == 2, full.stderr
    assert "No space left on device" in full.stderr and "--resume" in full.stderr
    assert "Traceback" not in full.stderr
    before = finished_files(paths)
    disk.mount("remount,ro")
    read_only = gx2c(*arguments, "--resume", cwd=disk.path.parent)
    assert read_only.returncode == 2
    assert "Read-only file system" in read_only.stderr and "Traceback" not in read_only.stderr
    disk.mount("remount,rw,size=64m")
    resumed = sweep("geography", tiny_dataset, paths.root, *NO_NULLS, "--resume")
    assert result_of(resumed) == undisturbed
    after = finished_files(paths)
    assert {path: after[path] for path in before} == before


def test_a_second_sweep_a_sigterm_and_a_clock_that_jumps(undisturbed, tiny_dataset, tmp_path):
    paths = SweepPaths(tmp_path / "run")
    arguments = sweep_arguments("geography", tiny_dataset, paths.root, *NO_NULLS)
    process = start_gx2c(*arguments, cwd=tmp_path)
    wait_for(process, paths.sweep.exists, "options")
    second = gx2c(*arguments, "--resume", cwd=tmp_path)
    assert second.returncode == 2
    assert f"in use by a sweep that is running (process {process.pid}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    os.kill(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    if process.returncode:
        assert process.returncode == 143, err
        assert "stopped by SIGTERM; go on with: gx2c sweep geography" in err
        assert "Traceback" not in err
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(JUMPING_CLOCK)
    search_path = os.pathsep.join([str(tmp_path / "clock"), str(Path(__file__).parents[3])])
    jumping = start_gx2c(
        *arguments, "--resume", cwd=tmp_path, environment={"PYTHONPATH": search_path}
    )
    out, err = jumping.communicate(timeout=240)
    assert jumping.returncode == 0, err
    assert result_of(paths) == undisturbed


def test_the_end_of_the_time_is_exit_code_124_and_goes_on(undisturbed, tiny_dataset, tmp_path):
    arguments = sweep_arguments("geography", tiny_dataset, tmp_path / "run", *NO_NULLS)
    stopped = gx2c(*arguments, "--time-budget", "0.001", cwd=tmp_path)
    assert stopped.returncode == 124, stopped.stderr
    assert "stopped at the end of --time-budget; go on with: gx2c sweep" in stopped.stderr
    resumed = sweep("geography", tiny_dataset, tmp_path / "run", *NO_NULLS, "--resume")
    assert result_of(resumed) == undisturbed


def nothing_left_of(process: subprocess.Popen[str]) -> bool:
    """Give killed processes a moment to vanish, and tell whether all of Ray's have."""
    end = time.monotonic() + 10
    while left := [pid for pid in members_of(process.pid) if "ray" in title_of(pid)]:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return not left


def processes_of(process: subprocess.Popen[str], title: str) -> list[int]:
    return [pid for pid in members_of(process.pid) if title in title_of(pid)]


PARTS = {"raylet": "raylet", "gcs_server": "gcs_server", "agent": "ray::DashboardAgent"}


@pytest.mark.parametrize("name", PARTS)
def test_the_death_of_a_part_of_ray_is_a_sentence_and_the_sweep_goes_on(
    name, undisturbed, tiny_dataset, tmp_path
):
    paths = SweepPaths(tmp_path / "run")
    arguments = sweep_arguments("geography", tiny_dataset, paths.root, *NO_NULLS)
    process = start_gx2c(*arguments, cwd=tmp_path)
    wait_for(process, lambda: processes_of(process, "ray::geography"), "a trial")
    os.kill(processes_of(process, PARTS[name])[0], signal.SIGKILL)
    err = errors_at_the_end(process, patience_s=60)
    # 1 if Ray ended it first
    assert process.returncode in (1, 2), err
    assert name in err and "--resume" in err and "Traceback" not in err
    assert len([line for line in err.splitlines() if line[:5] == "gx2c:"]) == 1
    assert nothing_left_of(process)
    # whichever part died, the run folder is the same
    if name == "raylet":
        resumed = sweep("geography", tiny_dataset, paths.root, *NO_NULLS, "--resume")
        assert result_of(resumed) == undisturbed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_starting_ends_in_a_sentence(number, tiny_dataset, tmp_path):
    arguments = sweep_arguments("geography", tiny_dataset, tmp_path / "run", *NO_NULLS)
    process = start_gx2c(*arguments, cwd=tmp_path)
    wait_for(
        process, lambda: any("gcs_server" in title_of(p) for p in members_of(process.pid)), "a"
    )
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "go on with: gx2c sweep geography" in err and "Traceback" not in err
    assert "--resume" not in err
    assert nothing_left_of(process)


@pytest.fixture
def room(tmp_path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk")
    disk.path.mkdir()
    if not disk.mount("size=120k"):
        pytest.skip("only root can make a small disk")
    yield disk
    disk.unmount()


def test_a_disk_that_a_network_fills_is_a_sentence_too(tiny_dataset, room):
    more = ("--samples", "16", *NO_NULLS)
    arguments = sweep_arguments("mlp", tiny_dataset, room.path / "run", *more)
    process = start_gx2c(*arguments, cwd=room.path.parent)
    wait_for(process, SweepPaths(room.path / "run").sweep.exists, "options")
    err = errors_at_the_end(process, patience_s=60)
    assert process.returncode == 2, err
    assert "No space left on device" in err and "--resume" in err and "Traceback" not in err

"""The same seed gives the same summary: any number of workers, any kill."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from real_sweeps import (
    finished_files,
    kill_driver,
    result_of,
    start_gx2c,
    sweep,
    sweep_arguments,
    trial_workers,
    wait_for,
)

from sweeps.paths import SweepPaths

pytestmark = pytest.mark.slow

# What is there when the driver is killed, and what must then not be there yet
MOMENTS = {
    "search": ("records/*/*/config_*.json", "retrained/*/*/result.json"),
    "search of the network": ("records/mlp/*/config_*.json", "retrained/*/*/result.json"),
    "retrain": ("retrained/*/*/result.json", "nulls/*/*/group_*.json"),
    "nulls": ("nulls/*/*/group_*.json", "summary.json"),
}


def test_one_worker_gives_the_same_summary(mlp_run, tiny_dataset, tmp_path):
    alone = sweep("mlp", tiny_dataset, tmp_path / "run", "--max-concurrent", "1")
    assert result_of(alone) == result_of(mlp_run)


def test_another_seed_gives_another_summary(mlp_run, tiny_dataset, tmp_path):
    other = sweep("mlp", tiny_dataset, tmp_path / "run", "--seed", "2", "--nulls", "0")
    assert result_of(other)["folds"] != result_of(mlp_run)["folds"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_driver_that_was_killed_goes_on_to_the_same_summary(
    mlp_run, tiny_dataset, tmp_path, moment
):
    there, not_yet = MOMENTS[moment]
    paths = SweepPaths(tmp_path / "run")
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, paths.root), cwd=tmp_path)
    wait_for(process, lambda: list(paths.root.glob(there)), moment)
    kill_driver(process)
    assert not list(paths.root.glob(not_yet)), "killed too late to show anything"
    before = finished_files(paths)
    assert before
    sweep("mlp", tiny_dataset, paths.root, "--resume")
    assert result_of(paths) == result_of(mlp_run)
    after = finished_files(paths)
    assert {path: after[path] for path in before} == before, "a finished record was written again"
    assert len(after) > len(before)


def test_a_sweep_killed_again_and_again_ends_in_the_same_summary(mlp_run, tiny_dataset, tmp_path):
    paths = SweepPaths(tmp_path / "run")
    arguments = sweep_arguments("mlp", tiny_dataset, paths.root)
    for k in range(3):
        resume = ["--resume"] if k else []
        process = start_gx2c(*arguments, *resume, cwd=tmp_path)
        n_before = len(finished_files(paths))
        wait_for(process, lambda n=n_before: len(finished_files(paths)) > n + 2, "more records")
        kill_driver(process)
    sweep("mlp", tiny_dataset, paths.root, "--resume")
    assert result_of(paths) == result_of(mlp_run)


def test_a_finished_sweep_that_is_resumed_does_nothing_again(mlp_run, tiny_dataset):
    before = finished_files(mlp_run)
    result = result_of(mlp_run)
    sweep("mlp", tiny_dataset, mlp_run.root, "--resume")
    assert finished_files(mlp_run) == before
    assert result_of(mlp_run) == result


def test_workers_that_were_killed_change_nothing(mlp_run, tiny_dataset, tmp_path):
    paths = SweepPaths(tmp_path / "run")
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, paths.root), cwd=tmp_path)
    killed: set[int] = set()
    for _ in range(2):
        workers = wait_for(
            process, lambda: [pid for pid in trial_workers(process) if pid not in killed], "worker"
        )
        os.kill(workers[0], signal.SIGKILL)
        killed.add(workers[0])
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err + out
    assert result_of(paths) == result_of(mlp_run)


def test_ctrl_c_stops_and_says_how_to_go_on(mlp_run, tiny_dataset, tmp_path: Path):
    paths = SweepPaths(tmp_path / "run")
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, paths.root), cwd=tmp_path)
    wait_for(process, lambda: list(paths.root.glob("records/*/*/config_*.json")), "a record")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"stopped; go on with: gx2c sweep mlp --dataset {tiny_dataset}" in err
    assert f"--resume --out {paths.root}" in err
    assert "Traceback" not in err
    assert not paths.summary.exists()
    sweep("mlp", tiny_dataset, paths.root, "--resume")
    assert result_of(paths) == result_of(mlp_run)

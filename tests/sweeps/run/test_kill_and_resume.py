"""The same seed gives the same summary, with any number of workers and after Ctrl-C.

tests/chaos kills workers, drivers and nodes.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from real_sweeps import (
    finished_files,
    result_of,
    start_gx2c,
    sweep,
    sweep_arguments,
    wait_for,
)

from sweeps.folder.paths import SweepPaths

pytestmark = pytest.mark.slow


def test_one_worker_gives_the_same_summary(mlp_run, tiny_dataset, tmp_path):
    alone = sweep("mlp", tiny_dataset, tmp_path / "run", "--max-concurrent", "1")
    assert result_of(alone) == result_of(mlp_run)


def test_a_finished_sweep_that_is_resumed_does_nothing_again(mlp_run, tiny_dataset):
    before = finished_files(mlp_run)
    result = result_of(mlp_run)
    sweep("mlp", tiny_dataset, mlp_run.root, "--resume")
    assert finished_files(mlp_run) == before
    assert result_of(mlp_run) == result


def test_ctrl_c_stops_and_says_how_to_go_on(mlp_run, tiny_dataset, tmp_path: Path):
    paths = SweepPaths(tmp_path / "run")
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, paths.root), cwd=tmp_path)
    wait_for(process, lambda: list(paths.root.glob("records/*/*/config_*.json")), "a record")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"stopped; go on with: gx2c sweep mlp --dataset {tiny_dataset}" in err
    assert f"--resume --out {paths.root}" in err
    assert "Traceback" not in err
    assert not paths.summary.exists()
    sweep("mlp", tiny_dataset, paths.root, "--resume")
    assert result_of(paths) == result_of(mlp_run)

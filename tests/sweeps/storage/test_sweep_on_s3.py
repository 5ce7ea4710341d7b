"""A sweep on S3 whose driver, and the head with it, is lost: the same summary from what is kept."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from real_sweeps import (
    gx2c,
    kill_driver,
    result_of,
    start_gx2c,
    sweep,
    sweep_arguments,
    wait_for,
)

from sweeps.folder.paths import SweepPaths
from sweeps.storage.store import open_store

pytestmark = pytest.mark.slow

# What the store holds when the driver is killed, and what it must not hold yet
MOMENTS = {"search": ("/config_", "/result.json"), "nulls": ("/group_", "scores.tsv")}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_lost_head_changes_nothing(mlp_run, tiny_dataset, tmp_path: Path, s3: str, moment: str):
    there, not_yet = MOMENTS[moment]
    paths = SweepPaths(tmp_path / f"run-{moment}")
    options = ["--storage", s3]
    store = open_store(s3, paths.root.name)
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, paths.root, *options), cwd=tmp_path)
    # workers write checkpoints of trials that wait at a rung
    checkpoints = wait_for(
        process, lambda: [n for n in store.list("tune") if n.endswith("trial.pt")], "a checkpoint"
    )
    wait_for(process, lambda: any(there in name for name in store.list("finished")), moment)

    # while it stands still, another head tries the same run
    os.kill(process.pid, signal.SIGSTOP)
    other = tmp_path / "other" / paths.root.name
    arguments = sweep_arguments("mlp", tiny_dataset, other, *options, "--resume")
    second = gx2c(*arguments, cwd=tmp_path)
    assert second.returncode == 2
    assert f"in use by a sweep that is running (process {process.pid}" in second.stderr
    assert not other.exists()

    kill_driver(process)
    before = store.list("finished")
    assert checkpoints
    assert before
    assert not any(not_yet in name for name in store.list("")), "killed too late to show anything"
    shutil.rmtree(paths.root)

    sweep("mlp", tiny_dataset, paths.root, *options, "--resume")
    assert result_of(paths) == result_of(mlp_run)
    after = store.list("finished")
    assert {name: after[name] for name in before} == before
    things = [name.rpartition(".sha256-")[0] for name in after]
    assert len(set(things)) == len(things), "something finished was done again"
    assert store.list("lease") == store.list("tune") == {}


def test_a_run_is_brought_home_as_the_last_line_says(tiny_dataset, tmp_path: Path, s3: str):
    out = tmp_path / "head" / "smt-run"
    few = ("--samples", "2", "--max-epochs", "4", "--nulls", "2", "--storage", s3)
    done = gx2c(*sweep_arguments("mlp", tiny_dataset, out, *few), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    command = done.stdout.splitlines()[-1].removeprefix("fetch    ")
    words = command.replace("'", "").split()
    assert words[:2] == ["gx2c", "fetch"]

    fetched = gx2c(*words[1:], cwd=tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    home = SweepPaths(tmp_path / "runs" / "smt-run")
    assert home.summary.read_bytes() == (out / "summary.json").read_bytes()
    assert (home.root / "report.html").stat().st_size > 10_000
    again = gx2c("rerun", str(home.best), "--out", "again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr

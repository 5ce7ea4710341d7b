"""A sweep on S3 whose driver, and the head with it, is lost: the same summary from what is kept."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from real_sweeps import (
    PATIENCE_S,
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


FEW = ("--samples", "2", "--max-epochs", "4", "--nulls", "2")


def test_a_run_whose_store_often_refuses_is_brought_home_as_the_last_line_says(
    tiny_dataset, tmp_path: Path, s3: str, s3_gate
):
    """Two of seven requests are refused; the result is that of a sweep without a store."""
    out = tmp_path / "head" / "smt-run"
    s3_gate.refuses = lambda number: number % 7 in (2, 5)
    done = gx2c(*sweep_arguments("mlp", tiny_dataset, out, *FEW, "--storage", s3), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert result_of(SweepPaths(out)) == result_of(
        sweep("mlp", tiny_dataset, tmp_path / "local", *FEW)
    )
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


def test_a_store_that_refuses_for_good_is_a_sentence_and_nothing_else(
    tiny_dataset, tmp_path: Path, s3: str, s3_gate
):
    out = tmp_path / "refused"
    arguments = sweep_arguments("mlp", tiny_dataset, out, *FEW, "--storage", s3)
    process = start_gx2c(*arguments, cwd=tmp_path)
    wait_for(process, SweepPaths(out).running.exists, "a running config")
    s3_gate.refuses = lambda number: True
    printed, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2, err
    said = [line for line in err.splitlines() if line.startswith("gx2c:")]
    assert len(said) == 1 and "storage s3://" in said[0] and "503" in said[0]
    assert "Traceback" not in err + printed

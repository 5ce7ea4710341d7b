"""Whole sweeps through the command line, on Ray."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
import yaml
from open_study import opened
from real_sweeps import PATIENCE_S, gx2c, result_of, sweep, sweep_arguments

from gx2c.data import load_dataset, make_synthetic_brain, write_dataset
from gx2c.metrics import METRICS, score_edges
from gx2c.saved.run import load_run
from sweeps.cli import app as cli
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.request.files import read_options
from sweeps.search.rungs import rung_milestones

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def summary(mlp_run: SweepPaths) -> dict[str, Any]:
    return read_json(mlp_run.summary)


def rungs_of(paths: SweepPaths) -> tuple[int, ...]:
    options = read_options(paths)
    return rung_milestones(options.grace_epochs, options.max_epochs)


def relmat(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", index_col="region", na_values="n/a")


def test_every_promised_file_is_there(mlp_run):
    for path in (mlp_run.summary, mlp_run.best, mlp_run.trials, mlp_run.report, mlp_run.study):
        assert path.stat().st_size > 0, path
    assert not mlp_run.tune.exists(), "Tune's own files go when the search ends"
    assert not list(mlp_run.root.rglob(".*")), "nothing half-written remains"


def test_the_summary_says_what_was_asked(mlp_run, summary):
    assert (summary["model"], summary["dataset"], summary["split"]) == ("mlp", "tiny", "bilateral")
    assert (summary["seed"], summary["n_regions"], summary["n_genes"]) == (1, 32, 20)
    assert len(summary["folds"]) == 2
    for fold in summary["folds"]:
        assert fold["n_train_regions"] + fold["n_test_regions"] == 32
        assert fold["trials"]["total"] == 4
        assert set(fold["validation"]) == set(fold["test"]) == set(METRICS)
    nulls = summary["nulls"]
    assert (nulls["n"], nulls["search"], nulls["moved"]) == (
        18,
        "configs and epochs tuned on the true data",
        "genes",
    )
    assert nulls["p_floor"] == pytest.approx(1 / 19)
    assert {"total", "start", "search", "retrain", "nulls"} <= set(summary["seconds"])
    provenance = summary["provenance"]
    assert provenance["versions"]["torch"]
    assert len(provenance["dataset"]["checksum"]) == 64
    assert provenance["profile"]["threads"] == 1
    assert provenance["seeds"] == {"sweep": 1}
    assert "sweep mlp" in provenance["command"]


def test_the_table_of_trials_is_the_records(mlp_run, summary):
    trials = pd.read_parquet(mlp_run.trials)
    assert set(trials["state"]) <= {"COMPLETE", "PRUNED", "FAILED"}
    curves = pd.read_parquet(mlp_run.curves)
    mine = trials[trials["model"] == "mlp"]
    rungs = rungs_of(mlp_run)
    assert len(mine) == 8
    assert (mine["state"] == "PRUNED").sum() == sum(f["trials"]["pruned"] for f in summary["folds"])
    assert (mine["state"] == "PRUNED").any(), "the rung was used"
    for row in trials.itertuples():
        record = read_json(mlp_run.record(row.model, row.fold, row.number))
        params = trials.loc[row.Index].filter(like="params.").dropna()
        assert (
            params.rename(lambda name: name.removeprefix("params.")).to_dict() == record["params"]
        )
        mine_only = curves[["model", "fold", "number"]] == [row.model, row.fold, row.number]
        curve = curves[mine_only.all(axis=1)]
        assert curve["score"].tolist() == [point["score"] for point in record["curve"]]
        assert curve["epochs"].tolist() == [point["epochs"] for point in record["curve"]]
        assert row.score == record["score"]
        assert (row.state, row.epochs, row.seed) == (
            record["state"], record["epochs"], record["seed"]
        )  # fmt: skip
        if row.model == "mlp":
            assert rungs[0] <= len(record["curve"]) <= 20
        if row.state == "PRUNED":
            assert len(record["curve"]) in rungs
    assert len(trials[trials["model"] == "geography"]) == 64


def test_the_chosen_config_is_the_best_that_was_fully_trained(mlp_run, summary):
    trials = pd.read_parquet(mlp_run.trials)
    for fold in summary["folds"]:
        complete = trials[
            (trials["model"] == "mlp")
            & (trials["fold"] == fold["fold"])
            & (trials["state"] == "COMPLETE")
        ]
        best = complete.loc[complete["score"].idxmax()]
        assert json.loads(best["config"]) == fold["best_config"]
        # at least a third of the 20 epochs
        assert max(best["epochs"], 7) == fold["epochs"]


def test_predictions_are_relmats_that_rescore_to_the_test_scores(mlp_run, summary, tiny_dataset):
    brain = load_dataset(tiny_dataset)
    seen: list[str] = []
    for model, folds in (("mlp", summary["folds"]), ("geography", summary["geography"]["folds"])):
        for fold in folds:
            number = fold["fold"]
            predicted = relmat(mlp_run.predicted(model, number, "tiny"))
            measured = relmat(mlp_run.measured(model, number, "tiny"))
            assert list(predicted.index) == list(predicted.columns) == list(measured.index)
            values = predicted.to_numpy()
            np.testing.assert_array_equal(values, values.T)
            assert np.isnan(np.diag(values)).all()
            rows = [brain.labels.index(label) for label in predicted.index]
            truth = brain.connectome_block(np.array(rows))
            off = ~np.eye(len(rows), dtype=bool)
            np.testing.assert_allclose(measured.to_numpy()[off], truth[off], atol=1e-7)
            scores = score_edges(np.nan_to_num(values), truth)
            for name in METRICS:
                assert scores[name] == pytest.approx(fold["test"][name], abs=1e-6)
            seen += list(predicted.index) if model == "mlp" else []
    assert sorted(seen) == sorted(brain.labels), "every region is tested once"


def test_the_report_stands_alone(mlp_run):
    page = mlp_run.report.read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert not re.search(r'(src|href)="https?://', page)


def test_the_copy_of_the_study_can_be_opened(mlp_run):
    with opened(mlp_run.study) as storage:
        names = optuna.get_all_study_names(storage)
        study = optuna.load_study(study_name="mlp_fold_0", storage=storage)
        trials, best = study.trials, study.best_value
    assert {"mlp_all_folds", "mlp_fold_0", "mlp_fold_1", "geography_fold_1"} <= set(names)
    assert [t.state.name for t in trials].count("PRUNED") > 0
    assert best == max(
        r["score"]
        for r in (read_json(mlp_run.record("mlp", 0, n)) for n in range(4))
        if r["state"] == "COMPLETE"
    )


def test_a_rerun_gives_the_same_numbers_to_the_last_digit(mlp_run, summary, tmp_path):
    done = gx2c("rerun", str(mlp_run.best), "--out", "again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = read_json(tmp_path / "again" / "summary.json")
    assert [f["test"] for f in again["folds"]] == [f["test"] for f in summary["folds"]]
    assert again["test"] == summary["test"]
    assert again["geography"]["test"] == summary["geography"]["test"]
    assert again["geography"]["gain"] == summary["geography"]["gain"]
    other = SweepPaths(tmp_path / "again")
    for fold in range(2):
        first, second = (
            p.model_dir("mlp", 1, fold) / "arrays.safetensors" for p in (mlp_run, other)
        )
        assert first.read_bytes() == second.read_bytes()


def test_a_finished_run_can_be_reported_and_copied_again(mlp_run, tmp_path):
    before = mlp_run.summary.read_bytes()
    for command in ("report", "study"):
        done = gx2c(command, str(mlp_run.root), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert mlp_run.summary.read_bytes() == before


def test_the_end_of_a_run_says_what_came_of_it(tiny_dataset, tmp_path):
    """Of a closed form, which searches again in every null."""
    out = tmp_path / "run"
    more = ("--nulls", "2", "--null-search", "full")
    done = gx2c(*sweep_arguments("geography+genes", tiny_dataset, out, *more), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in (
        "preset quick reduces", "gain over geography", "gain over spin nulls", "p = ",
        "report.html", "gx2c rerun",
    ):  # fmt: skip
        assert words in done.stdout
    assert "\x1b[" not in done.stdout
    # Ray's chatter is kept away: only gx2c's own progress is there
    noise = [
        line
        for line in done.stderr.splitlines()
        if not re.match(r"(starting|search|retrain|nulls|writing)\b.* \d+:\d\d", line)
    ]
    assert not noise, noise
    assert "Trial" not in done.stdout
    paths = SweepPaths(out)
    summary = result_of(paths)
    assert summary["nulls"]["search"] == "full"
    assert summary["nulls"]["adjusted_for_geography"] is True
    assert [fold["epochs"] for fold in summary["folds"]] == [0, 0]
    best = yaml.safe_load(paths.best.read_text())
    assert [job["learning_rates"] for job in best["jobs"]] == [[]] * 4


@pytest.mark.parametrize(
    ("scheduler", "model", "more"),
    [("one-epoch", "smt", ()), ("asha-async", "mlp", ("--storage", "checkpoints"))],
)
def test_every_scheduler_runs_to_the_end(tiny_dataset, mlp_run, tmp_path, scheduler, model, more):
    """Other than the default; one has its storage elsewhere, and starts from saved networks."""
    few = ["--nulls", "0", "--samples", "6"]
    if more:
        few += ["--init-from", str(mlp_run.root), "--genes", "all"]
    paths = sweep(model, tiny_dataset, tmp_path / "run", *few, "--scheduler", scheduler, *more)
    trials = pd.read_parquet(paths.trials)
    mine = trials[trials["model"] == model]
    sizes = pd.read_parquet(paths.curves).groupby(["model", "fold", "number"]).size()
    lengths = mine.apply(lambda row: sizes[row["model"], row["fold"], row["number"]], axis=1)
    for _, fold in mine.groupby("fold"):
        complete = (fold["state"] == "COMPLETE").sum()
        stopped = lengths[fold.index][fold["state"] == "PRUNED"]
        if scheduler == "one-epoch":
            assert complete == 3
            assert (stopped == 1).all()
        else:
            assert complete >= 1
            assert stopped.isin(rungs_of(paths)).all()
    summary = result_of(paths)
    assert summary["nulls"] is None
    assert any("not reproducible" in note for note in summary["notes"]) is (
        scheduler == "asha-async"
    )
    assert not paths.tune.exists()
    assert (tmp_path / "checkpoints").is_dir() is bool(more)
    # recorded where they were retrained: on a worker
    donors, models = (load_run(run.root).models for run in (mlp_run, paths))
    expected = [[one.digest] for one in donors] if more else [[], []]
    assert [[o.digest for o in one.about.origins] for one in models] == expected


def test_geography_alone_needs_no_genes_and_is_its_own_baseline(tmp_path):
    brain = make_synthetic_brain(n_regions=32, n_genes=1, seed=3)
    places = dataclasses.replace(brain, genes=(), expression=np.empty((32, 0)), tss=None)
    folder = write_dataset(tmp_path / "places", places, {"Name": "places"})
    paths = sweep("geography", folder, tmp_path / "run", "--nulls", "0", "--genes", "all")
    summary = result_of(paths)
    assert summary["geography"]["gain"]["pearson_r"]["mean"] == 0
    assert summary["test"] == summary["geography"]["test"]
    assert np.isfinite(summary["test"]["pearson_r"]["mean"])


def test_options_of_data_split_and_task_reach_a_sweep_and_its_rerun(tmp_path):
    brain = make_synthetic_brain(n_regions=96, n_genes=40, seed=3, n_subjects=4)
    folder = write_dataset(tmp_path / "people", brain, {"Name": "people"})
    more = (
        "--folds", "3", "--inner-folds", "4", "--score", "block-pairs", "--buffer", "1",
        "--train-test-edges", "--gene-order", "cluster_5",
        "--features", "expression+structural-laplacian:3", "--augment", "subjects+noise",
        "--augment-schedule", "peak", "--nulls", "2", "--samples", "2", "--max-epochs", "6",
    )  # fmt: skip
    paths = sweep("geography+mlp", folder, tmp_path / "run", *more)
    summary = result_of(paths)
    assert len(summary["folds"]) == 3
    assert summary["nulls"]["adjusted_for_geography"] is True
    assert summary["conditions"] == [
        "features expression+structural-laplacian:3",
        "augmentation subjects+noise",
        "scores of edges between two held-out folds",
        "buffer 1 mm",
    ]
    done = gx2c("rerun", str(paths.best), "--out", "again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = read_json(tmp_path / "again" / "summary.json")
    for name in ("test", "details", "train_test", "conditions"):
        assert again[name] == summary[name], name
    assert "geography+mlp" in done.stdout


def test_a_gpu_that_is_not_there_is_refused_in_one_sentence(tiny_dataset, tmp_path):
    arguments = sweep_arguments("mlp", tiny_dataset, tmp_path / "run", "--gpus-per-trial", "0.25")
    done = gx2c(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    sentences = [line for line in done.stderr.splitlines() if line.startswith("gx2c: ")]
    assert len(sentences) == 1
    assert "a trial needs 1 CPU(s) and 0.25 GPU(s), and no node has them" in sentences[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_script_sweeps_with_a_library_that_has_a_name_of_ours(tmp_path):
    """`xgboost` is a library, and no file beside the script may stand in for it."""
    script = Path(cli.__file__).parents[1] / "model.py"
    options = ["--preset", "quick", "--samples", "1", "--nulls", "0", "--out", "run"]
    done = subprocess.run(
        [sys.executable, str(script), "xgboost", *options],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(script.parents[1]), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    summary = read_json(SweepPaths(tmp_path / "run").summary)
    assert summary["model"] == "xgboost"
    assert summary["test"]["pearson_r"]["mean"] > 0

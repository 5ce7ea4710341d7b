"""Sweeps over several seeds: the folds of every seed, as if each had been swept alone."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from serial_sweep import tiny_options, without_ray
from sweep_fixtures import files_under, make_brain

import gx2c
from gx2c.data import write_dataset
from gx2c.errors import UserError
from gx2c.metrics import HEADLINE, corrected_resampled_t
from gx2c.splits import make_folds
from sweeps.cli.summary_text import print_summary
from sweeps.compare.leaderboard import make_leaderboard
from sweeps.compare.leaderboard_page import markdown_of
from sweeps.compare.paired import compare_runs
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.folder.results import read_null_scores
from sweeps.folder.summary_file import read_summary
from sweeps.nulls.evaluation import NullEvaluation, in_processes
from sweeps.nulls.group import run_null_group
from sweeps.nulls.jobs import SplitNulls
from sweeps.nulls.units import unit_of_run
from sweeps.phases.retrain import finished_jobs
from sweeps.phases.retrain_job import RetrainJob, jobs_of_searches
from sweeps.request.plan import make_plan
from sweeps.run import sweep as sweep_module
from sweeps.run.rerun import run_rerun
from sweeps.run.status import read_status
from sweeps.run.sweep import run_sweep

MODEL = "mlp"
SEEDS = ("3", "1")


def options_of(dataset: Path, seeds: str) -> Any:
    # the order of genes, too, is drawn from the seed
    small = {"samples": 2, "max_epochs": 2, "ensemble": "2", "nulls": 2}
    return tiny_options(MODEL, dataset, seeds=seeds, gene_order="random", folds=3, **small)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return write_dataset(folder, make_brain(n_regions=30), {"Name": "tiny"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any, dataset: Path) -> dict[str, SweepPaths]:
    """A sweep of each seed, and one of both."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        for seeds in (*SEEDS, ",".join(SEEDS)):
            found[seeds] = SweepPaths(folder / f"seeds_{seeds}")
            run_sweep(options_of(dataset, seeds), found[seeds].root)
    return found


@pytest.fixture
def both(runs: dict[str, SweepPaths]) -> SweepPaths:
    return runs[",".join(SEEDS)]


def test_the_folds_are_those_of_a_sweep_of_each_seed(runs, both):
    alone, summary = [read_summary(runs[seed]) for seed in SEEDS], read_summary(both)
    assert [(f.seed, f.fold) for f in summary.folds] == [(s, f) for s in (3, 1) for f in range(3)]
    assert summary.folds == [fold for one in alone for fold in one.folds]
    assert summary.rival_folds == [fold for one in alone for fold in one.rival_folds]
    own = [fold for one in alone for fold in one.details[MODEL].folds]
    assert summary.details[MODEL].folds == own
    for model in (MODEL, "geography"):
        for place in range(6):
            theirs, fold = runs[SEEDS[place // 3]], place % 3
            names = [theirs.predicted(model, fold, "tiny"), both.predicted(model, place, "tiny")]
            assert names[0].read_bytes() == names[1].read_bytes()
    saved = {
        str(p.relative_to(both.root)): p.read_bytes() for p in files_under(both.root / "models")
    }
    separate = {
        str(p.relative_to(runs[seed].root)): p.read_bytes()
        for seed in SEEDS
        for p in files_under(runs[seed].root / "models")
    }
    assert saved == separate and any("/seed_1/fold_02/" in name for name in saved)
    models = gx2c.load_run(both.root).models
    assert [(m.about.seed, m.about.fold) for m in models] == [
        (s, f) for s in (1, 3) for f in range(3)
    ]


def test_overlapping_seeds_are_no_replicates(both):
    """The error of a mean, and the interval of a gain, are those of Nadeau & Bengio."""
    summary = read_summary(both)
    sizes = {
        "n_test": [f.n_test_regions for f in summary.folds],
        "n_train": [f.n_train_regions for f in summary.folds],
    }
    gain = summary.gain(HEADLINE)
    wanted = corrected_resampled_t(gain.per_fold, **sizes)
    assert (gain.mean, gain.se, gain.low, gain.high, gain.n) == pytest.approx(
        (wanted.mean, wanted.se, wanted.low, wanted.high, 6)
    )
    r = summary.score(HEADLINE)
    assert r.se == pytest.approx(
        corrected_resampled_t([f.test[HEADLINE] for f in summary.folds], **sizes).se
    )
    assert r.se > 1.2 * r.sd / np.sqrt(6)
    text = io.StringIO()
    print_summary(summary, both, Console(width=300, file=text))
    words = (
        f"Nadeau-Bengio 95 % interval {gain.low:+.3f} to {gain.high:+.3f}: 2 seeds split the same"
    )
    assert words in text.getvalue()
    assert "seeds 3, 1" in text.getvalue() and "\nseed 1 fold 2  " in text.getvalue()
    page_of_run = both.report.read_text()
    assert "seeds 3, 1" in page_of_run and "seed 1 fold 2" in page_of_run
    page = markdown_of(make_leaderboard([both.root]))
    assert f"({gain.low:+.3f} to {gain.high:+.3f})" in page and "seeds 3, 1" in page


def test_one_seed_has_no_interval_and_the_plain_error(runs):
    summary = read_summary(runs["1"])
    gain = summary.gain(HEADLINE)
    assert np.isnan(gain.low) and gain.se == pytest.approx(gain.sd / np.sqrt(3))
    assert "low" not in read_json(runs["1"].summary)["geography"]["gain"][HEADLINE]


def test_a_null_is_one_draw_of_genes_for_the_folds_of_all_seeds(runs, both, dataset):
    """Surrogates are those of the first seed; all else of a null is as in a sweep of its seed."""
    plan = make_plan(options_of(dataset, "1"))
    records = plan.board(runs["1"]).records()
    jobs = finished_jobs(runs["1"], jobs_of_searches(plan, records))
    for null in SplitNulls.of(plan, runs["1"], jobs, records).jobs:
        fold, own = null.job.fold, read_json(runs["1"].null_group(MODEL, null.job.fold, 0))
        first, alone = (read_json(p.null_group(MODEL, fold, 0)) for p in (both, runs["3"]))
        assert (first["seeds"], first["scores"]) == (alone["seeds"], alone["scores"])
        second = read_json(both.null_group(MODEL, 3 + fold, 0))
        wanted, _ = run_null_group(plan.context(), replace(null, seed=3))
        assert (second["seeds"], second["scores"]) == (own["seeds"], wanted)
        assert second["scores"] != own["scores"]
    table = read_null_scores(both, MODEL)[HEADLINE]
    groups = [read_json(both.null_group(MODEL, place, 0))["scores"] for place in range(6)]
    for k in range(2):
        assert table[k] == pytest.approx(np.mean([group[k][HEADLINE] for group in groups]))


def test_other_nulls_of_the_run_are_of_the_folds_of_all_seeds(both, tmp_path):
    evaluation = NullEvaluation([unit_of_run(both.root)], tmp_path / "out", in_processes(1))
    found = evaluation.execute()
    assert found.seeds == [3, 1]
    mine, own = (n.spread(HEADLINE) for n in (found.nulls, read_summary(both).nulls))
    assert (mine.mean, mine.sd) == pytest.approx((own.mean, own.sd))


def test_a_sweep_stopped_in_its_second_seed_goes_on_to_the_same_answer(both, dataset, tmp_path):
    stopped, done = SweepPaths(tmp_path / "run"), []

    def until_stopped(function: Any, jobs: Any, *, shared: Any, **_: Any) -> Any:
        for job in jobs:
            if len(done) == 10:
                raise KeyboardInterrupt
            done.extend([job] if isinstance(job, RetrainJob) else [])
            yield job, function(shared, job)

    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        patch.setattr(sweep_module, "run_tasks", until_stopped)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(options_of(dataset, ",".join(SEEDS)), stopped.root)
    status = read_status(stopped)
    assert (status["phase"], status["retrained"]) == ("retrain", {"done": 10, "total": 12})
    assert [(f["seed"], f["fold"]) for f in status["folds"][:6]] == [
        (s, f) for s in (3, 1) for f in range(3)
    ]
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        run_sweep(options_of(dataset, ",".join(SEEDS)), stopped.root, resume=True)
    whole, found = read_summary(both), read_summary(stopped)
    for same in ("folds", "test", "geography", "nulls", "more_nulls", "verdict"):
        assert getattr(found, same) == getattr(whole, same)


def test_a_rerun_repeats_the_folds_of_all_seeds_and_grades_them(both, tmp_path):
    summary, again = read_summary(both), run_rerun(both.best, tmp_path / "again")
    assert [(f.seed, f.fold, f.test) for f in again.folds] == [
        (f.seed, f.fold, f.test) for f in summary.folds
    ]
    assert again.gain(HEADLINE) == summary.gain(HEADLINE)
    for file in files_under(both.root / "models"):
        same = tmp_path / "again" / file.relative_to(both.root)
        assert same.read_bytes() == file.read_bytes()
    ours, theirs = again.verdict.evidence, summary.verdict.evidence
    assert (ours.r, ours.decay, ours.geography) == (theirs.r, theirs.decay, theirs.geography)
    assert (ours.nulls, ours.coordinates, again.verdict.tested_up_to <= 2) == ({}, None, True)
    assert again.verdict == read_summary(SweepPaths(tmp_path / "again")).verdict


def test_a_run_of_two_seeds_compares_like_two_runs(runs, both):
    pair = compare_runs([runs[seed].root for seed in SEEDS])
    assert compare_runs([both.root]) == pair
    assert pair["splits"][0]["seeds"] == [1, 3]
    with pytest.raises(UserError, match="are both runs of mlp with seed 1"):
        compare_runs([both.root, runs["1"].root])


def test_the_folds_are_one_split_per_seed(dataset):
    plan = make_plan(options_of(dataset, ",".join(SEEDS)))
    for seed, mine in ((3, plan.folds[:3]), (1, plan.folds[3:])):
        alone = make_folds(plan.brain, n_folds=3, n_inner_folds=2, seed=seed)
        for number, (one, other) in enumerate(zip(mine, alone, strict=True)):
            assert (one.seed, one.number) == (other.seed, other.number) == (seed, number)
            assert (one.test_regions == other.test_regions).all()
            for inner, its in zip(one.inner, other.inner, strict=True):
                assert (inner.test_regions == its.test_regions).all()

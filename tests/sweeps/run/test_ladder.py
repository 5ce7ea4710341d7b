"""Sweeps of planted brains: what the verdict needs is run, in order, and nothing more."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from real_sweeps import finished_files
from rich.console import Console
from serial_sweep import tiny_options, without_ray

from gx2c.data import Brain, make_synthetic_brain, write_dataset
from gx2c.fit import Chosen, Task, retrain_ensemble
from gx2c.metrics import HEADLINE, METRICS
from gx2c.verdict import LADDER, MEANINGS
from sweeps.cli.summary_text import print_summary
from sweeps.compare.leaderboard import make_leaderboard
from sweeps.compare.leaderboard_page import markdown_of
from sweeps.compare.over_runs import grade_among
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.folder.results import read_result
from sweeps.folder.summary_file import read_summary
from sweeps.phases.control import control_paths, on_coordinates
from sweeps.phases.retrain import finished_jobs
from sweeps.phases.retrain_job import job_of_result, jobs_of_searches
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.run import evidence as evidence_module
from sweeps.run.evidence import evidence_of, null_test
from sweeps.run.ladder import Ladder
from sweeps.run.status import read_status
from sweeps.run.sweep import run_sweep

MODEL = "geography+genes"


def sweep(folder: Path, brain: Brain) -> tuple[SweepPlan, SweepPaths]:
    dataset = write_dataset(folder / "planted", brain, {"Name": "planted"})
    options = tiny_options(MODEL, dataset, nulls=19, samples=6, genes="all")
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        run_sweep(options, folder / "run")
        before = finished_files(SweepPaths(folder / "run"))
        run_sweep(options, folder / "run", resume=True)
    assert finished_files(SweepPaths(folder / "run")) == before, "nothing is run twice"
    return make_plan(options), SweepPaths(folder / "run")


def planted(genes: float, geography: float, noise: float) -> Brain:
    return make_synthetic_brain(
        n_regions=60, n_genes=30, seed=3, smoothness_mm=25.0, n_latents=5, gene_noise=0.1,
        expression_weight=genes, geography_weight=geography, noise_weight=noise,
    )  # fmt: skip


@pytest.fixture(scope="module")
def specific(tmp_path_factory: Any) -> tuple[SweepPlan, SweepPaths]:
    """A sweep of a brain whose connectome genes make, more than location does."""
    return sweep(tmp_path_factory.mktemp("specific"), planted(1.0, 0.3, 0.1))


def test_planted_genes_are_graded_with_all_nulls_and_the_control(specific):
    _, paths = specific
    summary = read_summary(paths)
    found = summary.verdict
    assert found.grade >= 3 and found.tested_up_to == 4
    assert tuple(found.evidence.nulls) == LADDER
    assert [test.n for test in found.evidence.nulls.values()] == [19, 19, 19]
    assert (summary.nulls.method, list(summary.more_nulls)) == (LADDER[0], list(LADDER[1:]))
    assert found.evidence.geography.gain == pytest.approx(summary.gain(HEADLINE).mean)
    p = {kind: nulls.over_geography.by_metric[HEADLINE].p_value
         for kind, nulls in [(LADDER[0], summary.nulls), *summary.more_nulls.items()]}  # fmt: skip
    assert p == {kind: test.p_value for kind, test in found.evidence.nulls.items()}
    for rival in (found.evidence.decay, found.evidence.geography, found.evidence.coordinates):
        assert 0 < rival.bound < rival.gain == pytest.approx(found.evidence.r - rival.r)
    status = read_status(paths)
    assert (status["phase"], status["nulls"]) == ("done", {"done": 114, "total": 114})


def test_among_several_models_p_is_max_t(specific):
    """The grade of a leaderboard is that of the run, unless p by max-T is larger."""
    _, paths = specific
    summary = read_summary(paths)
    own = {name: getattr(summary.verdict, name) for name in ("grade", "tested_up_to", "sentence")}
    assert grade_among(summary, {}) == grade_among(summary, {"hungarian": 0.05}) == own
    for kind, grade in (("hungarian", 2), ("random_field", 2), ("residual_spin", 3)):
        lower = grade_among(summary, {kind: 0.1})
        assert (lower["grade"], lower["tested_up_to"]) == (grade, grade + 1)
        assert lower["sentence"] != summary.verdict.sentence
    page = markdown_of(make_leaderboard([paths.root]))
    assert f"| {own['grade']} ({own['tested_up_to']}) |" in page


def test_location_alone_is_no_gain_and_ends_the_ladder(tmp_path):
    _, paths = sweep(tmp_path, planted(0.0, 1.0, 0.2))
    summary = read_summary(paths)
    assert (summary.verdict.grade, summary.verdict.tested_up_to) == (1, 2)
    assert read_json(paths.nulls) == {"hungarian": 19}
    assert not control_paths(paths).root.exists()
    assert any(note.startswith("no random_field and residual_spin") for note in summary.notes)
    assert read_status(paths)["state"] == "finished"


def test_the_verdict_opens_the_output_and_heads_the_report(specific):
    _, paths = specific
    summary, text = read_summary(paths), io.StringIO()
    sentence = summary.verdict.sentence
    print_summary(summary, paths, Console(width=2_000, file=text))
    assert text.getvalue().startswith(f"grade {summary.verdict.grade} of 4 (tested up to 4): ")
    assert sentence in text.getvalue().splitlines()[0]
    page = paths.report.read_text()
    assert page.count("<h1>") == 1
    assert f"<h1>{sentence}</h1>" in page
    assert MEANINGS[summary.verdict.grade] in page


def test_the_control_reads_coordinates_and_no_gene(specific):
    plan, paths = specific
    control = on_coordinates(plan).brain
    assert control.n_genes == plan.n_genes()
    for column in range(control.n_genes):
        assert (control.expression[:, column] == plan.brain.coords_mm[:, column % 3]).all()
    found = read_json(control_paths(paths).retrained(MODEL, 0))
    true = read_json(paths.retrained(MODEL, 0))
    assert found["config"]["genes"].pop("which") == "all" == true["config"]["genes"].pop("which")
    for same in ("config", "others", "learning_rates", "seed", "n_seeds"):
        assert found[same] == true[same]


def test_later_surrogates_end_once_the_test_is_clear(specific, monkeypatch):
    """The first one never does: leaderboards compare models on it."""
    plan, paths = specific
    hopeless = pd.DataFrame(1.0, index=range(40), columns=list(METRICS))
    early = null_test(plan, paths, "random_field", {MODEL: hopeless})
    assert (early.p_value, early.n, early.stopped) == (1.0, 10, True)
    whole = null_test(plan, paths, "hungarian", {MODEL: hopeless})
    assert (whole.p_value, whole.n, whole.stopped) == (1.0, 40, False)

    def nothing(*_: Any) -> Any:
        assert not _[-1], "every null is there"
        return iter(())

    monkeypatch.setattr(evidence_module, "STOP_AFTER", 1)
    records = plan.board(paths).records()
    jobs = finished_jobs(paths, jobs_of_searches(plan, records))
    ladder = Ladder(plan, paths, nothing, lambda *_: None, [])
    found, evidence = ladder.run_nulls(jobs, records, evidence_of(plan, paths))
    local = evidence.nulls["residual_spin"]
    gains = found["residual_spin"][MODEL][HEADLINE].to_numpy()
    observed = read_summary(paths).score(HEADLINE).mean
    first = 1 + int(np.argmax(gains >= observed))
    assert (local.stopped, local.n, local.p_value) == (True, first, 1 / first)
    assert len(gains) == ladder.n_nulls["residual_spin"] == 16


def test_the_model_without_geography_has_the_same_configs_and_learns_the_connectome(tmp_path):
    dataset = write_dataset(tmp_path / "planted", planted(1.0, 0.3, 0.1), {"Name": "planted"})
    options = tiny_options(
        "geography+kernel_ridge", dataset, nulls=0, samples=2, folds=3, ensemble="2"
    )
    paths = SweepPaths(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        summary = run_sweep(options, paths.root)
    found, plan = [], make_plan(options)
    for fold in range(3):
        job = job_of_result(read_result(paths, options.model, fold))
        plain = [
            Chosen(dataclasses.replace(c.config, task=Task()), c.learning_rates) for c in job.chosen
        ]
        (result,) = retrain_ensemble(
            plain, [plan.brain], plan.folds[fold], seeds=[[s] for s in job.seeds],
            profile=plan.profile,
        )  # fmt: skip
        found.append(result.scores[HEADLINE])
    assert summary.alone[HEADLINE].mean == pytest.approx(np.mean(found))
    text = io.StringIO()
    print_summary(summary, paths, Console(width=200, file=text))
    assert f"kernel_ridge alone   test r {np.mean(found):.3f}" in text.getvalue()

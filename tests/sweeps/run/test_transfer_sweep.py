"""A sweep that trains on one connectome and tests on another, against the parts of plain sweeps."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console
from serial_sweep import exit_code_of
from sweep_fixtures import finish, make_brain, make_plan, run_nulls, summary_of

from gx2c.data import load_dataset, write_dataset
from gx2c.saved.run import load_run
from sweeps.cli.summary_text import print_summary
from sweeps.folder.paths import SweepPaths
from sweeps.phases.retrain import finished_jobs
from sweeps.phases.retrain_job import jobs_of_searches
from sweeps.report.build import write_report
from sweeps.run.rerun import run_rerun

MODEL, R = "kernel_ridge", "pearson_r"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    brain = make_brain(n_regions=64)
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset", brain, {"Name": "dataset"})


def plan_of(folder, **options):
    options = {"samples": 2, "nulls": 2, "null_method": "hungarian"} | options
    return make_plan(MODEL, brain=load_dataset(folder), dataset=str(folder), **options)


def test_model_geography_and_nulls_are_scored_on_the_holdout(folder, tmp_path):
    """A plain sweep makes the same models, whose scores against the holdout are in its details."""
    plain_paths, paths = SweepPaths(tmp_path / "plain"), SweepPaths(tmp_path / "run")
    plain = finish(plan_of(folder, nulls=0), plain_paths)
    plan = plan_of(folder, test_connectome="holdout")
    found = finish(plan, paths)
    for model in (MODEL, "geography"):
        ours, theirs = found.details[model].mean, plain.details[model].mean
        assert ours["noise_ceiling_r"].mean == pytest.approx(theirs["noise_ceiling_r"].mean)
        assert ours["holdout_r"].mean == pytest.approx(
            {MODEL: plain.test[R].mean, "geography": plain.rival(R).mean}[model], abs=1e-6
        )
        scores = {MODEL: found.test[R].mean, "geography": found.rival(R).mean}[model]
        assert scores == pytest.approx(theirs["holdout_r"].mean, abs=1e-6)
    assert found.test[R].mean != pytest.approx(plain.test[R].mean, abs=1e-3)
    assert found.n_regions == 64

    jobs = finished_jobs(paths, jobs_of_searches(plan, plan.board(paths).records()))
    whole = summary_of(plan, paths, run_nulls(plan, paths, jobs))
    assert whole.nulls.n == 2 and whole.verdict.grade is not None
    assert "tested on another (holdout)" in whole.verdict.caveat
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f.test for f in again.folds] == [f.test for f in found.folds]

    shown = io.StringIO()
    print_summary(whole, paths, Console(file=shown, width=200))
    ceiling = f"{found.details[MODEL].mean['noise_ceiling_r'].mean:.3f}"
    assert "tested on the holdout connectome" in shown.getvalue()
    assert f"ceiling of transfer  r {ceiling}" in shown.getvalue()
    assert "tested on the holdout connectome" in write_report(paths).read_text()


def test_a_brain_whose_test_data_change_keeps_its_models(folder, tmp_path):
    """Nothing that is learned or chosen depends on the connectome that is tested."""
    brain = load_dataset(folder)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, size=(64, 64))
    noise = np.triu(noise, 1)
    brains = [brain, dataclasses.replace(brain, holdout_connectome=noise + noise.T + np.eye(64))]
    saved = []
    for number, one in enumerate(brains):
        plan = make_plan(MODEL, brain=one, test_connectome="holdout", nulls=0, samples=2)
        finish(plan, SweepPaths(tmp_path / str(number)))
        saved.append(load_run(tmp_path / str(number)).models)
    for one, other in zip(*saved, strict=True):
        assert [m.config for m in one.about.members] == [m.config for m in other.about.members]
        np.testing.assert_array_equal(one.predict(brain), other.predict(brain))
        assert one.about.scores != other.about.scores


def test_another_parcellation_is_swept(folder, tmp_path):
    other = make_brain(n_regions=100, seed=4)
    place = write_dataset(tmp_path / "fine", other, {"Name": "fine"})
    plan = plan_of(folder, test_dataset=str(place), split="spatial")
    found = finish(plan, SweepPaths(tmp_path / "run"))
    (note,) = [note for note in found.notes if "another parcellation" in note]
    tested = sum(fold.n_test_regions for fold in found.folds)
    assert f"{tested} of its 100 regions are tested" in note
    assert {label.partition(":")[0] for label in _tested(tmp_path / "run")} == {"fine"}
    assert found.conditions == [f"tested on {place}"]
    assert "tested on another (fine)" in found.verdict.caveat


def _tested(root):
    return [label for model in load_run(root).models for label in model.about.test_regions]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--test-connectome", "held"), "no test connectome 'held'"),
        (("--test-dataset", "nothing"), "no dataset named 'nothing'"),
        (("--test-connectome", "holdout", "--target", "structural"), "no holdout connectome"),
        (("--test-connectome", "holdout", "--train-test-edges"), "two brains do not have"),
        (("--test-connectome", "holdout", "--split", "community"), "choose another split"),
        (("--test-connectome", "holdout", "--features", "structural"), "structural connectivity"),
        (("--test-dataset", "SAME"), "tests no transfer"),
    ],
)
def test_what_cannot_be_transferred_is_refused_before_anything_starts(
    folder, tmp_path, capsys, options, said
):
    given = [str(folder) if one == "SAME" else one for one in options]
    out = ("--preset", "quick", "--out", str(tmp_path / "run"))
    assert exit_code_of("sweep", "mlp", "--dataset", str(folder), *given, *out) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()

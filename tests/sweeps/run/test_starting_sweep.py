"""A whole sweep whose networks start from those of another: search, nulls, verdict, rerun, fit."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
from serial_sweep import exit_code_of, in_this_process, tiny_options, without_ray
from sweep_fixtures import make_brain
from sweep_fixtures import make_plan as make_small_plan

import gx2c
from gx2c.data import BrainView, write_dataset
from gx2c.errors import UserError
from gx2c.explain import importance
from gx2c.saved.loading import load_model
from gx2c.saved.run import load_run
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.phases.retrain import finished_jobs, retrain_one
from sweeps.phases.retrain_job import jobs_of_searches
from sweeps.request.notes import search_notes
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan
from sweeps.run import final
from sweeps.run.rerun import run_rerun
from sweeps.run.sweep import run_sweep

MODEL = "geography+mlp"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A network of the functional connectome, and one of the structural that starts from it."""
    root = tmp_path_factory.mktemp("start")
    dataset = write_dataset(root / "dataset", make_brain(n_regions=64), {"Name": "dataset"})
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        run_sweep(tiny_options("mlp", dataset, nulls=0, ensemble="1x2"), root / "donor")
        options = tiny_options(
            MODEL,
            dataset,
            genes=None,
            target="structural",
            init_from=str(root / "donor"),
            null_method="random_field",
        )
        yield options, SweepPaths(root / "run"), run_sweep(options, root / "run")


def donors(options):
    return load_run(options.init_from).models_of("mlp")


def test_each_fold_has_the_architecture_and_genes_of_its_own_start(swept):
    options, paths, summary = swept
    plan = make_plan(options)
    for number, (fold, donor) in enumerate(zip(plan.folds, donors(options), strict=True)):
        assert fold.start.digest == donor.digest and len(fold.start) == 2
        records = plan.board(paths).records()[MODEL, number]
        for config in (record.config for record in records):
            assert config["hyperparameters"] == donor.about.members[0].config["hyperparameters"]
            assert config["genes"]["which"] == list(donor.genes) == list(fold.start.genes)
        assert {name for r in records for name in r.params} >= {"learning_rate", "weight_decay"}
        assert not {"dropout", "hidden_dims"} & {name for r in records for name in r.params}
        # the donor has seen every validation region
        assert {inner.start for inner in fold.inner} == {None}
    notes = " ".join(summary.notes)
    assert "its architecture and its 12 genes are fixed" in notes
    assert "8 of the 20 genes of dataset are not among them" in notes
    assert "chosen with networks that start at random" in notes
    assert f"networks start from {options.init_from}" in summary.conditions


def test_the_verdict_claims_no_more_than_its_nulls_allow(swept):
    options, paths, summary = swept
    assert summary.nulls.n == 2 and "starts from the same model" in summary.nulls.caution
    found = summary.verdict
    assert found.tested_up_to <= 2 and "learned from other data" in found.caveat
    assert found.evidence.started and not paths.coordinates.exists()
    # so that no null is run unless it is asked for
    assert make_options(MODEL, preset="quick", init_from="smt").nulls == 0


def test_workers_need_no_file_of_the_model(swept, tmp_path):
    options, paths, _ = swept
    plan = make_plan(options)
    jobs = finished_jobs(paths, jobs_of_searches(plan, plan.board(paths).records()))
    (job,) = (one.with_weight(1.0) for one in jobs if (one.model, one.fold) == (MODEL, 1))
    written = pickle.dumps(plan.context())
    expected = retrain_one(plan.context(), job).ensemble.predicted
    shutil.move(options.init_from, tmp_path / "elsewhere")
    try:
        context = pickle.loads(written)
        found = retrain_one(context, job).ensemble.predicted
    finally:
        shutil.move(tmp_path / "elsewhere", options.init_from)
    np.testing.assert_array_equal(found, expected)
    at_random = tuple(replace(fold, start=None) for fold in context.folds)
    other = retrain_one(replace(context, folds=at_random), job).ensemble.predicted
    assert np.abs(other - expected).max() > 1e-3


def test_a_rerun_has_the_same_scores_and_needs_the_same_model(swept, tmp_path):
    options, paths, summary = swept
    again = run_rerun(paths.best, tmp_path / "again")
    assert again.test == summary.test and again.verdict.tested_up_to <= 2
    lines = paths.best.read_text().splitlines()
    edited = "\n".join(line for line in lines if not line.startswith("sha256"))
    other = tmp_path / "best.yaml"
    other.write_text(edited.replace(donors(options)[1].digest, "f" * 64))
    with pytest.raises(UserError, match="another version of the model .*donor .checksum fff"):
        run_rerun(other, tmp_path / "other")


def test_an_interrupted_sweep_goes_on_to_the_same_result(swept, tmp_path, monkeypatch):
    options, paths, summary = swept
    without_ray(monkeypatch)
    root = tmp_path / "run"
    shutil.copytree(paths.root, root)
    begun = SweepPaths(root)
    for gone in (
        begun.summary,
        begun.retrained(MODEL, 1),
        *root.glob(f"records/{MODEL}/*/*3.json"),
    ):
        gone.unlink()
    again = run_sweep(options, root, resume=True)
    assert (again.test, again.verdict) == (summary.test, summary.verdict)
    begun.summary.unlink()
    inputs = read_json(begun.inputs)
    assert inputs["init_from"] == [donor.digest for donor in donors(options)]
    monkeypatch.setattr(
        "sweeps.request.files.read_json", lambda *_, **__: {**inputs, "init_from": ["other"]}
    )
    with pytest.raises(UserError, match=r"init_from of .*donor changed since"):
        run_sweep(options, root, resume=True)


def test_a_final_model_starts_from_it_and_remembers_what_it_saw(swept, tmp_path, monkeypatch):
    options, paths, _ = swept
    in_this_process(monkeypatch, final)
    assert final.fit_final(paths.root, MODEL, tmp_path / "final")
    model = load_model(tmp_path / "final")
    first = donors(options)[0]
    assert [one.digest for one in model.about.origins] == [first.digest]
    assert model.about.expected
    for one in load_run(paths.root).models:
        (origin,) = one.about.origins
        assert set(origin.training_regions) <= set(one.about.training_regions)
    with pytest.raises(UserError, match="one of surrogates has not; explain it without nulls"):
        importance([one], make_plan(options).brain, kinds=("genes",), nulls=2, surrogate="moran")
    other = f"{options.init_from}/models/mlp/seed_1/fold_01"
    assert final.fit_final(paths.root, MODEL, tmp_path / "own", init_from=other) == {}
    (origin,) = load_model(tmp_path / "own").about.origins
    assert origin.digest == donors(options)[1].digest


def test_a_bilateral_split_holds_out_the_mirror_images_too(tmp_path):
    """A model of the right hemisphere knows the homologues of the left."""
    brain = make_brain(n_regions=64)
    right = BrainView(hemisphere="right").of(brain)
    gx2c.models.MLP(n_epochs=1, hidden_dims=(8,)).fit(right).save(tmp_path / "right")
    asked = {"hemisphere": "left", "genes": None, "init_from": str(tmp_path / "right")}
    with pytest.raises(UserError, match="would leak: .* by mirror image"):
        make_small_plan("mlp", brain=brain, nulls=0, **asked)
    plan = make_small_plan("mlp", brain=brain, nulls=0, split="spatial", **asked)
    assert "mirror images of 100% of the regions" in " ".join(search_notes(plan))
    assert all(inner.start is fold.start for fold in plan.folds for inner in fold.inner)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kernel_ridge"], "kernel_ridge is fitted in one step"),
        (["best"], "best averages several models"),
        (["mlp", "--genes", "12_var"], "--init-from fixes genes; omit --genes"),
        (["mlp", "--features", "coordinates"], "needs networks that read expression"),
        (["mlp", "--init-from", "nothing"], "no pretrained model 'nothing' and no such folder"),
    ],
)
def test_what_cannot_be_started_is_refused_in_a_sentence(arguments, said, capsys, tmp_path):
    more = ["--preset", "quick", "--init-from", "smt", "--out", str(tmp_path / "run")]
    assert exit_code_of("sweep", *more, *arguments) == 2
    printed = capsys.readouterr().err
    assert said in printed and "Traceback" not in printed

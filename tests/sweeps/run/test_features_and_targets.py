"""Features and targets from their options to the summary, the report and a rerun."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console
from serial_sweep import exit_code_of
from sweep_fixtures import (
    finish,
    make_brain,
    make_plan,
    run_board_serially,
    run_nulls,
    search_and_retrain,
    with_garbage,
)

from gx2c.data import load_dataset, write_dataset
from gx2c.errors import UserError
from gx2c.fit import Task
from gx2c.metrics import BINARY_METRICS
from gx2c.saved.origin import measured_checksum
from gx2c.saved.run import load_run
from sweeps.cli.summary_text import print_summary
from sweeps.folder.paths import SweepPaths
from sweeps.report.build import write_report
from sweeps.request.options import make_options
from sweeps.run.rerun import run_rerun

ALL_FEATURES = (
    "expression+structural",
    "expression-pca:4",
    "structural",
    "structural-laplacian:3+structural-adjacency:3",
)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        *(("kernel_ridge", {"features": features}) for features in ALL_FEATURES),
        ("mlp", {"features": ALL_FEATURES[0]}),
        ("geography+kernel_ridge", {}),
        ("geography+mlp", {}),
        ("kernel_ridge", {"target": "structural"}),
        ("mlp", {"binarise": 0.1}),
    ],
)
def test_every_feature_and_target_is_swept_and_rerun(tmp_path, model, options):
    folder = write_dataset(tmp_path / "dataset", make_brain(n_regions=64), {"Name": "dataset"})
    plan = make_plan(
        model,
        brain=load_dataset(folder),
        dataset=str(folder),
        **{"nulls": 0, "samples": 2, "max_epochs": 2, "grace_epochs": 1} | options,
    )
    paths = SweepPaths(tmp_path / "run")
    summary = finish(plan, paths)
    tried = plan.board(paths).records()["geography", 0]
    task = plan.task(model, tried)
    chosen = {} if summary.folds[0].weight is None else {"weight": summary.folds[0].weight}
    assert summary.folds[0].best_config["task"] == task.to_dict() | chosen
    assert bool(task.geography) is model.startswith("geography+")
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f.test for f in again.folds] == [f.test for f in summary.folds]
    assert again.rival("mse").mean == pytest.approx(summary.rival("mse").mean)
    (words,) = summary.conditions or [model]
    assert str(*options.values()) in words
    shown = io.StringIO()
    print_summary(summary, paths, Console(file=shown, width=200))
    assert words in shown.getvalue()
    assert words in write_report(paths).read_text()
    details = summary.details[model].mean
    assert (set(BINARY_METRICS) <= set(details)) is ("binarise" in options)
    structural = options.get("target") == "structural"
    assert ("noise_ceiling_r" in details) is not structural
    measure = "StructuralConnectivity" if structural else "PearsonCorrelation"
    for run in (paths.root, tmp_path / "again"):
        tables = [path.name for path in run.glob("retrained/*/*/*.tsv")]
        assert len(tables) == 2 * 2 * len(plan.folds)
        assert all(name.endswith(f"_meas-{measure}_relmat.tsv") for name in tables)
        (about, _) = (saved.about for saved in load_run(run).models)
        assert (about.conditions, about.dataset.measure) == (summary.conditions, measure)
        assert about.dataset.measured == measured_checksum(plan.brain)
    given = ("--expression", str(folder), "--out", str(tmp_path / "new"))
    assert exit_code_of("predict", str(paths.root), *given) == 0
    (found,) = (tmp_path / "new").glob("*Mean_*")
    assert found.name.endswith(f"Mean_meas-{measure}_relmat.tsv")


def test_geography_beside_it_learns_the_connectome_from_places():
    name, brain = "geography+kernel_ridge", make_brain(n_regions=64)
    plan = make_plan(name, brain=brain, nulls=0, features="expression-pca:3")
    assert plan.task("geography") == Task()
    assert plan.task(name) == Task(("expression-pca:3",), "geography-residual")
    assert plan.scale().n_genes == 3
    assert plan.n_genes() == 12


def test_what_is_taken_out_is_the_best_of_each_folds_own_search_of_geography(tmp_path, monkeypatch):
    """The model's search waits for that of geography, and every config holds its ensemble."""
    monkeypatch.setattr("sweeps.request.ensemble.CLOSED_FORM_CONFIGS", 2)
    monkeypatch.setattr("sweeps.request.plan.MIN_GEOGRAPHY_CONFIGS", 5)
    brain = make_brain(n_regions=64)
    plan = make_plan("geography+cge", brain=brain, ensemble="2", nulls=0)
    board = plan.board(SweepPaths(tmp_path / "run"))
    first = [board.next_work().model for _ in plan.folds]
    assert first == ["geography", "geography"] and board.next_work() is None
    board = plan.board(SweepPaths(tmp_path / "again"))
    run_board_serially(plan, board)
    found = board.records()
    ensembles = []
    for fold in range(len(plan.folds)):
        tried = sorted(found["geography", fold], key=lambda record: -record.score)
        best = [record.config["hyperparameters"] for record in tried[:2]]
        for record in found["geography+cge", fold]:
            assert record.config["task"]["geography"] == best
        ensembles.append(best)
    assert ensembles[0] != ensembles[1]
    spoiled = make_plan(
        "geography+cge",
        brain=with_garbage(brain, plan.folds[0].test_regions),
        ensemble="2",
        nulls=0,
    )
    spoiled = dataclasses.replace(spoiled, folds=plan.folds)
    board = spoiled.board(SweepPaths(tmp_path / "spoiled"))
    run_board_serially(spoiled, board)
    again = board.records()
    for model in ("geography", "geography+cge"):
        configs = [[record.config for record in records[model, 0]] for records in (found, again)]
        assert configs[0] == configs[1]
        assert [r.score for r in again[model, 0]] == [r.score for r in found[model, 0]]
    name = "geography+cge"
    assert [r.score for r in again[name, 1]] != [r.score for r in found[name, 1]]


def test_nulls_of_what_geography_leaves_are_adjusted_for_it(tmp_path):
    from sweep_fixtures import summary_of

    paths = SweepPaths(tmp_path / "run")
    plan = make_plan("geography+cge", brain=make_brain(n_regions=64))
    summary = summary_of(plan, paths, run_nulls(plan, paths, search_and_retrain(plan, paths)))
    assert summary.nulls.adjusted_for_geography is True
    assert not any("not adjusted" in note for note in summary.notes)


def test_features_without_genes_have_no_nulls():
    assert make_options("mlp", preset="quick", features="structural").nulls == 0
    assert make_options("mlp", preset="quick", features="expression-pca:3").nulls == 20
    with pytest.raises(UserError, match="structural reads no genes"):
        make_options("mlp", preset="quick", features="structural", nulls=3)


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("geography", {"features": "structural"}, "geography reads no expression"),
        ("smt", {"features": "expression+coordinates"}, "sequence of genes"),
        ("smt_cls", {"features": "structural"}, "sequence of genes"),
        ("mlp_coords", {"features": "expression+coordinates"}, "reads coordinates anyway"),
        ("mlp", {"target": "geography-residual"}, r"gx2c sweep geography\+MODEL"),
        ("geography+geography", {}, "no model 'geography.geography'"),
        ("geography+geography+genes", {}, "no model 'geography.geography.genes'"),
        ("geography+pls_twostep_published", {}, "no model 'geography.pls_twostep_published'"),
        ("mlp", {"target": "structural", "features": "structural"}, "made from the target"),
        (
            "mlp",
            {"target": "structural", "split": "community-structural"},
            "give --split community-target",
        ),
        ("mlp", {"features": "smell"}, "no feature named 'smell'"),
        ("mlp", {"binarise": 2.0}, "from -1 to 1"),
        ("mlp", {"augment": "mirrors"}, "no augmentation 'mirrors'"),
        ("mlp", {"augment": "noise", "augment_probability": 3.0}, "from 0 to 1"),
        ("mlp", {"augment_schedule": "often"}, "no augment schedule 'often'"),
        ("kernel_ridge", {"augment": "noise"}, "steps of networks, but kernel_ridge has none"),
    ],
)
def test_contradictions_are_one_sentence(model, options, words):
    with pytest.raises(UserError, match=words) as caught:
        make_options(model, preset="quick", **options)
    assert "\n" not in str(caught.value)


def test_too_few_regions_for_cross_fitting_are_refused():
    with pytest.raises(UserError, match="at least 15 training regions in every fold"):
        make_plan("geography+mlp", nulls=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": "structural"}, "structural connectome"),
        ({"target": "structural"}, "structural connectome"),
        ({"target": "effective"}, "no effective connectome to predict"),
    ],
)
def test_what_a_dataset_lacks_is_refused(options, words):
    import dataclasses

    without = dataclasses.replace(make_brain(), structural_connectome=None)
    with pytest.raises(UserError, match=words):
        make_plan("mlp", brain=without, nulls=0, **options)


def test_augmentation_is_recorded_and_rerun(tmp_path):
    brain = make_brain(n_subjects=4)
    folder = write_dataset(tmp_path / "dataset", brain, {"Name": "dataset"})
    plan = make_plan(
        "mlp",
        brain=load_dataset(folder),
        dataset=str(folder),
        augment="subjects+strong-edges+noise",
        augment_probability=0.8,
        augment_schedule="peak",
        nulls=0,
        samples=1,
        max_epochs=3,
    )
    paths = SweepPaths(tmp_path / "run")
    summary = finish(plan, paths)
    config = summary.folds[0].best_config["task"]["augmentation"]
    assert config["kinds"] == ["subjects", "strong-edges", "noise"]
    assert (config["probability"], config["schedule"]) == (0.8, "peak")
    assert summary.conditions == ["augmentation subjects+strong-edges+noise"]
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f.test for f in again.folds] == [f.test for f in summary.folds]


def test_augmentation_with_people_needs_people():
    with pytest.raises(UserError, match="needs individual connectomes"):
        make_plan("mlp", augment="subject-edges", nulls=0)
    people = make_brain(n_subjects=3)
    with pytest.raises(UserError, match="has none for this target"):
        make_plan("mlp", brain=people, augment="subjects", target="structural", nulls=0)


def test_a_structural_target_is_what_is_scored(tmp_path):
    plan = make_plan("kernel_ridge", target="structural", nulls=0, samples=1)
    brain = make_brain()
    np.testing.assert_array_equal(plan.brain.connectome, brain.structural_connectome)

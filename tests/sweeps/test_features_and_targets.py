"""Features and targets from their options to the summary, the report and a rerun."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console
from sweep_fixtures import finish, make_brain, make_plan, run_nulls, search_and_retrain

from gx2c.data import load_dataset, write_dataset
from gx2c.errors import UserError
from gx2c.fit import Task
from gx2c.metrics import BINARY_METRICS
from sweeps.options import make_options
from sweeps.paths import SweepPaths
from sweeps.report import write_report
from sweeps.rerun import run_rerun
from sweeps.table import print_summary

ALL_FEATURES = (
    "expression+structural",
    "expression-pca:4",
    "structural",
    "structural-laplacian:3+structural-adjacency:3",
)


@pytest.fixture(autouse=True, scope="module")
def short_searches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweeps.plan.MIN_GEOGRAPHY_CONFIGS", 2)
        yield


@pytest.mark.parametrize("model", ["mlp", "kernel_ridge"])
@pytest.mark.parametrize(
    "options",
    [*({"features": features} for features in ALL_FEATURES), {"target": "geography-residual"},
     {"target": "structural"}, {"binarise": 0.1}],
)  # fmt: skip
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
    assert summary["folds"][0]["best_config"]["task"] == plan.options.task.to_dict()
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f["test"] for f in again["folds"]] == [f["test"] for f in summary["folds"]]
    assert again["geography"]["test"]["mse"] == pytest.approx(summary["geography"]["test"]["mse"])
    (words,) = summary["conditions"]
    assert str(*options.values()) in words
    shown = io.StringIO()
    print_summary(summary, paths, Console(file=shown, width=200))
    assert words in shown.getvalue()
    assert words in write_report(paths).read_text()
    details = summary["details"][model]["mean"]
    assert (set(BINARY_METRICS) <= set(details)) is ("binarise" in options)
    assert ("noise_ceiling_r" in details) is (options.get("target") != "structural")


def test_geography_beside_it_learns_the_connectome_from_places():
    options = {"target": "geography-residual", "features": "expression-pca:3"}
    plan = make_plan("kernel_ridge", brain=make_brain(n_regions=64), nulls=0, **options)
    assert plan.task("geography") == Task()
    assert plan.task("kernel_ridge") == Task(("expression-pca:3",), "geography-residual")
    assert plan.scale().n_genes == 3
    assert plan.n_genes() == 12


def test_nulls_of_what_geography_leaves_are_adjusted_for_it(tmp_path):
    from sweep_fixtures import summary_of

    paths = SweepPaths(tmp_path / "run")
    plan = make_plan("cge", brain=make_brain(n_regions=64), target="geography-residual")
    summary = summary_of(plan, paths, run_nulls(plan, paths, search_and_retrain(plan, paths)))
    assert summary["nulls"]["adjusted_for_geography"] is True
    assert not any("not adjusted" in note for note in summary["notes"])


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
        ("geography", {"target": "geography-residual"}, "what geography leaves"),
        ("mlp", {"target": "structural", "features": "structural"}, "made of what"),
        (
            "mlp",
            {"target": "structural", "split": "community-structural"},
            "give --split community-target",
        ),
        ("mlp", {"target": "effective"}, "no target 'effective'"),
        ("mlp", {"features": "smell"}, "no feature named 'smell'"),
        ("mlp", {"binarise": 2.0}, "between -1 and 1"),
        ("mlp", {"augment": "mirrors"}, "no augmentation 'mirrors'"),
        ("mlp", {"augment": "noise", "augment_probability": 3.0}, "from 0 to 1"),
        ("mlp", {"augment_schedule": "often"}, "no augment_schedule 'often'"),
        ("kernel_ridge", {"augment": "noise"}, "steps of a network, and kernel_ridge takes none"),
    ],
)
def test_contradictions_are_one_sentence(model, options, words):
    with pytest.raises(UserError, match=words) as caught:
        make_options(model, preset="quick", **options)
    assert "\n" not in str(caught.value)


def test_too_few_regions_for_cross_fitting_are_refused():
    with pytest.raises(UserError, match="at least 15 training regions in every fold"):
        make_plan("mlp", target="geography-residual", nulls=0)


@pytest.mark.parametrize("options", [{"features": "structural"}, {"target": "structural"}])
def test_a_dataset_without_structure_is_refused(options):
    import dataclasses

    without = dataclasses.replace(make_brain(), structural_connectome=None)
    with pytest.raises(UserError, match="structural connectome"):
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
    config = summary["folds"][0]["best_config"]["task"]["augmentation"]
    assert config["kinds"] == ["subjects", "strong-edges", "noise"]
    assert (config["probability"], config["schedule"]) == (0.8, "peak")
    assert summary["conditions"] == ["augmentation subjects+strong-edges+noise"]
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f["test"] for f in again["folds"]] == [f["test"] for f in summary["folds"]]


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

"""Every split, from its option to the summary, the table and the report."""

from __future__ import annotations

import dataclasses
import io
from itertools import combinations

import numpy as np
import pytest
from rich.console import Console
from sweep_fixtures import finish, make_brain, make_plan, run_nulls, search_and_retrain

from gx2c.data import Brain, write_dataset
from gx2c.errors import UserError
from gx2c.metrics import score_edges
from gx2c.splits import SPLITTERS
from sweeps.cli.summary_text import print_summary
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import read_connectome
from sweeps.report.build import write_report
from sweeps.run.rerun import run_rerun

LABEL = "split uses the target"


def lobed_brain() -> Brain:
    brain = make_brain(n_regions=36)
    names = ("Frontal", "Parietal", "Temporal")
    lobe = tuple(names[i % 18 // 6] for i in range(36))
    return dataclasses.replace(brain, lobe=lobe)


@pytest.mark.parametrize("split", sorted(SPLITTERS))
def test_every_split_can_be_swept(tmp_path, split):
    plan = make_plan("kernel_ridge", brain=lobed_brain(), split=split, nulls=0, samples=1)
    held_out = np.concatenate([fold.test_regions for fold in plan.folds])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(36))
    summary = finish(plan, SweepPaths(tmp_path / "run"))
    assert summary.split == split
    assert summary.deterministic_split is (split in ("network", "lobe"))
    assert any("no t-test" in note for note in summary.notes) is summary.deterministic_split
    if split == "lobe":
        assert [f.name for f in summary.folds] == ["Frontal", "Parietal", "Temporal"]
        for fold, name in zip(plan.folds, ("Frontal", "Parietal", "Temporal"), strict=True):
            assert {plan.brain.lobe[i] for i in fold.test_regions} == {name}
            inner = {plan.brain.lobe[i] for part in fold.inner for i in part.test_regions}
            assert inner == {"Frontal", "Parietal", "Temporal"} - {name}


def test_a_split_that_uses_the_target_says_so_everywhere(tmp_path):
    paths = SweepPaths(tmp_path / "run")
    plan = make_plan("kernel_ridge", brain=lobed_brain(), split="community-target", nulls=0)
    summary = finish(plan, paths)
    assert summary.split_label == LABEL
    assert any(LABEL in note for note in summary.notes)
    shown = io.StringIO()
    print_summary(summary, paths, Console(file=shown, width=200))
    assert f"community-target split ({LABEL})" in shown.getvalue()
    page = write_report(paths).read_text()
    assert f"community-target split ({LABEL})" in page
    honest = finish(make_plan("kernel_ridge", nulls=0), SweepPaths(tmp_path / "honest"))
    assert honest.split_label == ""


@pytest.mark.parametrize(
    ("split", "lacks", "words"),
    [
        ("lobe", {"lobe": None}, "needs the lobe of every region"),
        ("community", {"holdout_connectome": None}, "needs a holdout connectome"),
        (
            "community-structural",
            {"structural_connectome": None},
            "needs a structural connectome",
        ),
    ],
)
def test_a_split_that_the_dataset_cannot_serve_is_refused(split, lacks, words):
    brain = dataclasses.replace(lobed_brain(), **lacks)
    with pytest.raises(UserError, match=words):
        make_plan("kernel_ridge", brain=brain, split=split)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_hemisphere_has_spins_and_geography_of_its_own(tmp_path, side):
    plan = make_plan("geography+genes", brain=make_brain(n_regions=48), hemisphere=side, samples=2)
    assert set(plan.brain.hemisphere.tolist()) == {0 if side == "left" else 1}
    assert plan.brain.n_regions == 24
    paths = SweepPaths(tmp_path / "run")
    nulls = run_nulls(plan, paths, search_and_retrain(plan, paths))
    assert nulls["geography+genes"]["failed_folds"].sum() == 0


def test_nothing_trains_inside_the_buffer():
    plan = make_plan("kernel_ridge", brain=make_brain(n_regions=60), buffer_mm=30.0, nulls=0)
    coords = plan.brain.coords_mm
    n_dropped = 0
    inner = [part for fold in plan.folds for part in fold.inner]
    for fold in [*plan.folds, *inner]:
        for i in fold.train_regions:
            for j in fold.test_regions:
                assert np.linalg.norm(coords[i] - coords[j]) >= 30.0
                assert np.linalg.norm(coords[i] - coords[j] * [-1, 1, 1]) >= 30.0
    for fold in plan.folds:
        n_dropped += 60 - len(fold.train_regions) - len(fold.test_regions)
    assert n_dropped > 0


@pytest.fixture(scope="module")
def block_pairs(tmp_path_factory):
    paths = SweepPaths(tmp_path_factory.mktemp("pairs") / "run")
    plan = make_plan(
        "geography+genes", score="block-pairs", folds=3, brain=make_brain(n_regions=36)
    )
    return plan, paths, finish(plan, paths)


def test_block_pairs_score_every_edge_between_blocks_once(block_pairs):
    plan, paths, summary = block_pairs
    assert [f.name for f in summary.folds] == [
        f"block {a} x block {b}" for a, b in combinations((1, 2, 3), 2)
    ]
    for number, fold in enumerate(plan.folds):
        predicted = read_connectome(paths.predicted("geography+genes", number, plan.brain.name))[1]
        assert summary.folds[number].blocks == fold.blocks.tolist()
        pairs = [
            (a, b)
            for a, b in combinations(range(len(fold.test_regions)), 2)
            if fold.blocks[a] != fold.blocks[b]
        ]
        ends = tuple(np.array(pairs).T)
        measured = plan.brain.connectome_block(fold.test_regions)
        wanted = score_edges(predicted, measured, edges=ends)
        for name, value in summary.folds[number].test.items():
            assert value == pytest.approx(wanted[name], abs=1e-6)
        detail = summary.details["geography+genes"].folds[number]
        assert "geodesic_distance" not in detail.values
        assert detail.n_edges["top_tenth_precision"] == len(pairs)


def test_nulls_score_the_same_edges(block_pairs, tmp_path):
    plan, _, _ = block_pairs
    paths = SweepPaths(tmp_path / "nulls")
    nulls = run_nulls(plan, paths, search_and_retrain(plan, paths))["geography+genes"]
    everything = dataclasses.replace(
        plan, folds=tuple(dataclasses.replace(f, blocks=None) for f in plan.folds)
    )
    others = SweepPaths(tmp_path / "all edges")
    differ = run_nulls(everything, others, search_and_retrain(everything, others))
    differ = differ["geography+genes"]
    assert nulls["failed_folds"].sum() == 0
    assert not np.isclose(nulls["pearson_r"], differ["pearson_r"]).any()


def test_the_report_shows_only_edges_that_are_scored(block_pairs):
    from sweeps.report.reading import read_run

    plan, paths, _ = block_pairs
    both = read_run(paths).connectomes[0]
    same = np.equal.outer(plan.folds[0].blocks, plan.folds[0].blocks)
    np.testing.assert_array_equal(np.isnan(both.predicted), same)
    assert "edges between two held-out folds" in write_report(paths).read_text()


def test_edges_with_one_end_in_training_are_scored_apart_and_labelled(tmp_path):
    options = {"nulls": 0, "samples": 1}
    paths, plain = SweepPaths(tmp_path / "run"), SweepPaths(tmp_path / "plain")
    plan = make_plan("geography+genes", train_test_edges=True, **options)
    summary = finish(plan, paths)
    assert "one end was seen in training" in summary.train_test.label
    scores = summary.train_test.models["geography+genes"].folds
    without = finish(make_plan("geography+genes", **options), plain)
    assert without.train_test is None
    assert [f.test for f in without.folds] == [f.test for f in summary.folds]
    tests = [fold.test["pearson_r"] for fold in summary.folds]
    assert all(s["pearson_r"] != r for s, r in zip(scores, tests, strict=True))
    page = write_report(paths).read_text()
    assert "one end was seen in training" in page
    shown = io.StringIO()
    print_summary(summary, paths, Console(file=shown, width=200))
    assert "one end seen in training" in shown.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {"split": "network"},
        {"score": "block-pairs", "folds": 3},
        {"train_test_edges": True},
        {"hemisphere": "left"},
        {"cortex_only": True, "buffer_mm": 8.0},
        {"genes": "brain"},
        {"gene_order": "cluster_3"},
    ],
)
def test_a_rerun_takes_the_same_part_and_the_same_edges(tmp_path, options):
    brain = make_brain(n_regions=40)
    if options.get("genes") == "brain":
        brain = dataclasses.replace(brain, genes=("GRIN1", "PVALB", *brain.genes[2:]))
    if "cortex_only" in options:
        sphere = brain.sphere_coords.copy()
        sphere[[3, 23]] = np.nan
        brain = dataclasses.replace(brain, sphere_coords=sphere)
    folder = write_dataset(tmp_path / "dataset", brain, {"Name": "dataset"})
    from gx2c.data import load_dataset

    plan = make_plan(
        "kernel_ridge",
        brain=load_dataset(folder),
        dataset=str(folder),
        **{"nulls": 0, "samples": 2, "genes": "all"} | options,
    )
    paths = SweepPaths(tmp_path / "run")
    summary = finish(plan, paths)
    again = run_rerun(paths.best, tmp_path / "again")
    assert [f.test for f in again.folds] == [f.test for f in summary.folds]
    if "hemisphere" in options:
        assert summary.n_regions == again.n_regions == 20
    if "cortex_only" in options:
        assert again.n_regions == 38
    if "genes" in options:
        assert summary.n_genes == 2

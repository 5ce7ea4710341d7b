"""Nulls of a run or a dataset, whole or in parts."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from sweep_fixtures import make_brain, make_plan

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.nulls import spatiomolecular
from sweeps.cli.summary_text import evaluation_lines
from sweeps.folder.paths import SweepPaths
from sweeps.nulls import units as null_units
from sweeps.nulls.evaluation import NullEvaluation, frozen_drop, in_processes
from sweeps.nulls.jobs import NULLS_PER_GROUP
from sweeps.nulls.units import GENE_GRID, GEOGRAPHY_GRID, unit_of_dataset
from sweeps.request.files import write_request


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A synthetic brain for every name, and short grids."""
    brain = make_synthetic_brain(n_regions=40, n_genes=30, seed=4, expression_weight=2.0)
    monkeypatch.setattr("sweeps.request.plan.load_dataset", lambda name, **_: brain)
    monkeypatch.setattr(null_units, "GEOGRAPHY_GRID", GEOGRAPHY_GRID[::8])
    monkeypatch.setattr(null_units, "GENE_GRID", GENE_GRID[3:8:2])


def unit(seed=1, **nulls):
    asked = {"nulls": 20, "null_method": "hungarian", "null_moves": "genes", "null_search": None}
    return unit_of_dataset("any", split="bilateral", seed=seed, **asked | nulls)


def evaluate(folder, units, *, workers=1, stop_after=0):
    return NullEvaluation(units, folder, in_processes(workers), stop_after).execute()


def test_geography_has_at_least_as_many_configs():
    assert len(GEOGRAPHY_GRID) >= len(GENE_GRID)


def test_planted_genes_are_found_over_geography(tmp_path):
    summary = evaluate(tmp_path / "a", [unit(1), unit(2)])
    nested = summary.nulls.over_geography
    assert summary.seeds == [1, 2]
    assert nested.n == 20
    assert nested.by_metric["pearson_r"].p_value == pytest.approx(1 / 21)
    assert nested.by_metric["pearson_r"].gain > 0.05
    assert nested.by_metric["pearson_r"].gain == pytest.approx(
        summary.test["pearson_r"] - summary.geography["pearson_r"]
    )
    assert summary.gain_interval.low > 0
    assert any("max-T" in line for line in evaluation_lines(summary))


def test_interrupted_and_in_two_processes_the_same(tmp_path):
    whole = evaluate(tmp_path / "whole", [unit()])
    groups = sorted((tmp_path / "whole").rglob("group_*.json"))
    assert len(groups) == 4 * -(-20 // NULLS_PER_GROUP)
    shutil.copytree(tmp_path / "whole", tmp_path / "part")
    for path in sorted((tmp_path / "part").rglob("group_*.json"))[::2]:
        path.unlink()
    kept = {p: p.read_bytes() for p in (tmp_path / "part").rglob("group_*.json")}
    again = evaluate(tmp_path / "part", [unit()], workers=2)
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert again.model_copy(update={"provenance": whole.provenance}) == whole


def test_a_folder_of_another_evaluation_is_refused(tmp_path):
    evaluate(tmp_path / "a", [unit(nulls=1)])
    with pytest.raises(UserError, match="different evaluation"):
        evaluate(tmp_path / "a", [unit(seed=2, nulls=1)])
    # more nulls of the same go on, fewer are the first of them
    assert [evaluate(tmp_path / "a", [unit(nulls=n)]).nulls.n for n in (2, 1)] == [2, 1]


def test_it_stops_when_enough_nulls_were_as_good(tmp_path, monkeypatch):
    """Genes that say nothing of the connectome end the test early."""
    silent = make_synthetic_brain(n_regions=40, n_genes=30, seed=4, expression_weight=0.0)
    monkeypatch.setattr("sweeps.request.plan.load_dataset", lambda name, **_: silent)
    summary = evaluate(tmp_path / "a", [unit(nulls=40)], stop_after=3)
    found = summary.sequential
    assert found.stopped
    assert found.n_used < 40
    assert found.p_value == pytest.approx(3 / found.n_used)


def test_when_coordinates_move_geography_has_nulls_of_its_own(tmp_path):
    moved = evaluate(tmp_path / "a", [unit(nulls=3, null_moves="genes+coordinates")])
    assert moved.nulls.moved == "genes+coordinates"
    groups = list((tmp_path / "a").rglob("group_*.json"))
    assert {path.parts[-3] for path in groups} == {"geography", "geography+genes"}


def test_selected_spins_are_descriptive_beside_unselected_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(spatiomolecular, "N_CANDIDATES", 40)
    units = [unit(nulls=18, null_method="spatiomolecular")]
    found = evaluate(tmp_path / "selected", units)
    plain = evaluate(tmp_path / "vasa", [unit(nulls=18, null_method="vasa")])
    nulls = found.nulls
    assert nulls.descriptive and nulls.n == nulls.unselected.n == 18
    assert nulls.unselected == plain.nulls
    assert not plain.nulls.descriptive
    assert nulls.spread("pearson_r") != plain.nulls.spread("pearson_r")
    p = plain.nulls.over_geography.by_metric["pearson_r"].p_value
    assert "descriptive, because selected spins are not exchangeable" in nulls.caution
    assert nulls.caution.endswith(f"p = {p:.3f} against 18 vasa")
    lines = "\n".join(evaluation_lines(found))
    assert "descriptive p = " in lines and "stay within one parcel" in lines
    for path in sorted((tmp_path / "selected").rglob("group_*.json"))[1::2]:
        path.unlink()
    again = evaluate(tmp_path / "selected", units)
    assert again.nulls == nulls


def test_too_many_selected_spins_are_refused():
    with pytest.raises(UserError, match="best 100 of 1000 spins"):
        unit(nulls=101, null_method="spatiomolecular")


def test_a_frozen_model_has_a_drop_and_no_p():
    found = frozen_drop(unit(nulls=5))
    assert set(found) == {"n", "mean_drop", "sd", "of"}
    assert found["mean_drop"] > 0


def test_a_run_that_is_not_finished_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a finished run"):
        null_units.unit_of_run(tmp_path, nulls=2)


@pytest.mark.parametrize(
    ("asked", "method"),
    [
        ({}, "residual_spin"),
        ({"null_moves": "genes"}, "residual_spin"),
        ({"null_moves": "connectome"}, "hungarian"),
        ({"null_moves": "connectome", "null_method": "vasa"}, "vasa"),
    ],
)
def test_the_surrogate_of_a_run_suits_the_data_that_move(tmp_path, monkeypatch, asked, method):
    plan = make_plan("geography+genes", brain=make_brain(), null_method="residual_spin", nulls=3)
    paths = SweepPaths(tmp_path)
    write_request(paths, plan)
    paths.summary.touch()
    planned = []
    monkeypatch.setattr(null_units, "make_plan", lambda o: planned.append(o) or plan)
    with pytest.raises(UserError, match="no config"):
        null_units.unit_of_run(tmp_path, **asked)
    assert planned[0].null_method == method


def test_the_synthetic_fixture_is_used():
    assert make_plan("geography", brain=make_brain(), nulls=0).brain.n_regions == 24
    assert np.isfinite(unit(nulls=1).predicted["geography", 0]).all()

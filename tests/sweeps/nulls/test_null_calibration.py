"""Genes that say nothing give no small p-value, and genes that do are found; the whole way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweep_fixtures import make_brain, make_plan, run_nulls, search_and_retrain

from gx2c.nulls import summarise_nulls
from sweeps.folder.paths import SweepPaths
from sweeps.phases.retrain import read_scores

N_NULLS = 19
SEEDS = range(5)


def p_value(folder: Path, model: str, *, seed: int, expression_weight: float) -> float:
    brain = make_brain(
        n_regions=40,
        seed=seed,
        field="sphere",
        expression_weight=expression_weight,
        geography_weight=0.3,
        noise_weight=0.3,
        smoothness_mm=22.0,
        n_latents=2,
    )
    plan = make_plan(
        model,
        brain=brain,
        nulls=N_NULLS,
        samples=3,
        genes="all",
        seeds=str(seed),
        null_method="hungarian",
    )
    paths = SweepPaths(folder)
    nulls = run_nulls(plan, paths, search_and_retrain(plan, paths, against_geography=False))
    observed = [r["pearson_r"] for r in read_scores(paths, model, len(plan.folds))]
    return summarise_nulls(float(np.mean(observed)), nulls[model]["pearson_r"].to_numpy()).p_value


@pytest.mark.parametrize("model", ["geography+genes", "kernel_ridge"])
def test_unrelated_genes_give_no_small_p_values(tmp_path, model):
    found = [
        p_value(tmp_path / str(seed), model, seed=seed, expression_weight=0.0) for seed in SEEDS
    ]
    assert sum(p <= 0.05 for p in found) <= 1, found
    assert np.median(found) > 0.15, found


def test_genes_that_make_the_connectome_are_found(tmp_path):
    found = [
        p_value(tmp_path / str(seed), "kernel_ridge", seed=seed, expression_weight=2.0)
        for seed in (1, 2)
    ]
    assert found == [1 / (N_NULLS + 1)] * 2

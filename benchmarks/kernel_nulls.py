"""Nulls of kernel ridge, all at once beside one after another: `gx2c bench kernel-nulls`.

Four outer folds, the ridge of the gene kernel chosen again among five on four inner folds in each
null. Brains are synthetic, of about the sizes of schaefer100 (99 regions, 15,633 genes) and of
Schaefer-400 with its stable genes (351 regions, 282 genes). Processor time of one thread, so that
other work on the machine counts little.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, choose_closed_form, retrain
from gx2c.fit.kernel_nulls import search_kernel_nulls
from gx2c.models import MODELS
from gx2c.models.isometry import same_distances
from gx2c.nulls import make_surrogate, replace_expression
from gx2c.splits import Fold, make_folds

SIZES = {"schaefer100": (100, 15_633), "schaefer400": (352, 282)}
RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0)
# Nulls to time at once (a group of a sweep), and one after another, whose search takes seconds
N_FAST, N_SLOW = 16, 1
ROUNDS = 3
METRIC = "val_mse"


def run() -> dict[str, Any]:
    """Measure both sizes; about two minutes."""
    with threadpool_limits(1):
        return {name: measure(*size) for name, size in SIZES.items()}


def measure(n_regions: int, n_genes: int, *, n_fast: int = N_FAST) -> dict[str, Any]:
    """Time one size of brain, and compare the scores of both ways."""
    brain = make_synthetic_brain(n_regions=n_regions, n_genes=n_genes, seed=0)
    folds = make_folds(
        brain.coords_mm, brain.hemisphere, split="bilateral", n_folds=4, n_inner_folds=4, seed=1
    )
    defaults = MODELS["geography+genes"].defaults
    configs = [FitConfig("geography+genes", {**defaults, "gene_ridge": ridge}) for ridge in RIDGES]
    surrogate = make_surrogate("hungarian", brain, seed=0)
    drawn = [surrogate.expression(brain, k) for k in range(N_SLOW)]
    started = time.process_time()
    slow = [[_one(brain, fold, configs, expression) for expression in drawn] for fold in folds]
    slow_s = (time.process_time() - started) / N_SLOW
    rows = same_distances(brain.expression)
    moved = [rows[spin] for spin in surrogate.indices(0, n_fast).T]
    seconds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        fast = [search_kernel_nulls(brain, f, configs, moved, metric=METRIC) for f in folds]
        seconds.append((time.process_time() - started) / n_fast)
    gaps = [
        abs(a["pearson_r"] - b["pearson_r"])
        for quick, whole in zip(fast, slow, strict=True)
        for a, b in zip(quick, whole, strict=False)
        if a is not None
    ]
    return {
        "n_regions": n_regions,
        "n_genes": n_genes,
        "at_once_ms_a_null": round(1e3 * min(seconds), 1),
        "spread": round(max(seconds) / min(seconds), 2),
        "one_after_another_ms_a_null": round(1e3 * slow_s, 1),
        "times_faster": round(slow_s / min(seconds), 1),
        "1000_nulls_on_2_cores_s": round(1e3 * min(seconds) / 2, 1),
        "largest_gap_of_r": float(np.max(gaps)),
    }


def _one(
    brain: Brain, fold: Fold, configs: list[FitConfig], expression: np.ndarray
) -> dict[str, float]:
    """Search, retrain and test one surrogate as a sweep would do with any closed form."""
    moved = replace_expression(brain, expression)
    chosen = choose_closed_form(moved, fold, configs, metric=METRIC)
    result = retrain(
        chosen, [moved], fold, learning_rates=(), seeds=(0,), profile=ComputeProfile()
    )[0]
    assert result.scores is not None, "kernel ridge on finite genes is finite"
    return result.scores

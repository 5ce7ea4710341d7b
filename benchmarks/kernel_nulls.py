"""Nulls of kernel ridge, all at once compared with one after another: `gx2c bench kernel-nulls`.

Four outer folds; each null chooses the ridge of the gene kernel again among five on four inner
folds. Synthetic brains of about the sizes of schaefer100 (99 regions, 15,633 genes) and of
Schaefer-400 with its stable genes (351 regions, 282 genes). Processor seconds of one thread, in
groups of 16 nulls like a sweep's.
"""

import time
from dataclasses import replace
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks.frame import in_turn
from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, rank_closed_forms, retrain
from gx2c.fit.kernel_nulls import search_kernel_nulls
from gx2c.models import MODELS
from gx2c.models.features import same_distances
from gx2c.nulls import make_surrogate
from gx2c.splits import Fold, make_folds

SIZES = {"schaefer100": (100, 15_633), "schaefer400": (352, 282)}
RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0)
N_GROUP = 16
ROUNDS = 3
METRIC = "val_mse"


def run() -> dict[str, Any]:
    """Measure both sizes; about a minute."""
    with threadpool_limits(1):
        return {name: measure(*size) for name, size in SIZES.items()}


def measure(n_regions: int, n_genes: int) -> dict[str, Any]:
    """Time both ways on one brain, and compare their scores of the first null."""
    brain = make_synthetic_brain(n_regions=n_regions, n_genes=n_genes, seed=0)
    folds = make_folds(brain, split="bilateral", n_folds=4, n_inner_folds=4, seed=1)
    defaults = MODELS["geography+genes"].defaults
    configs = [FitConfig("geography+genes", {**defaults, "gene_ridge": ridge}) for ridge in RIDGES]
    surrogate = make_surrogate("hungarian", brain, seed=0)
    started = time.process_time()
    first = replace(brain, expression=surrogate.expression(brain, 0))
    slow = [_search_and_test(first, fold, configs) for fold in folds]
    slow_s = time.process_time() - started
    rows = same_distances(brain.expression)
    moved = [rows[spin] for spin in surrogate.indices(0, N_GROUP).T]
    fast: list[Any] = []

    def at_once() -> None:
        fast[:] = [search_kernel_nulls(brain, f, configs, moved, metric=METRIC) for f in folds]

    taken = in_turn({"at once": at_once}, rounds=ROUNDS)["at once"]
    fast_s = taken["fastest"] / N_GROUP
    gaps = [abs(nulls[0]["pearson_r"] - r) for nulls, r in zip(fast, slow, strict=True)]
    return {
        "n_regions": n_regions,
        "n_genes": n_genes,
        "at_once_ms_a_null": round(1e3 * fast_s, 1),
        "spread": taken["spread"],
        "one_after_another_ms_a_null": round(1e3 * slow_s, 1),
        "times_faster": round(slow_s / fast_s, 1),
        "largest_gap_of_r": max(gaps),
    }


def _search_and_test(brain: Brain, fold: Fold, configs: list[FitConfig]) -> float:
    chosen = rank_closed_forms(brain, fold, configs, metric=METRIC)[0]
    (result,) = retrain(
        chosen, [brain], fold, learning_rates=(), seeds=(0,), profile=ComputeProfile()
    )
    assert result.scores is not None, "kernel ridge on finite genes is finite"
    return result.scores["pearson_r"]

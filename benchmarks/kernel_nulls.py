"""Nulls of kernel ridge, all at once beside one after another: `gx2c bench kernel-nulls`.

Four outer folds, the ridge of the gene kernel chosen again among five on four inner folds in each
null. Brains are synthetic, of about the sizes of schaefer100 (99 regions, 15,633 genes) and of
Schaefer-400 with its stable genes (351 regions, 282 genes). Processor time of one thread, so that
other work on the machine counts little; and the time that 1,000 nulls take two processes, in groups
of 16 as a sweep's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
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
N_MANY, N_PROCESSES = 1_000, 2
METRIC = "val_mse"


def run() -> dict[str, Any]:
    """Measure both sizes; about two minutes."""
    with threadpool_limits(1):
        return {name: measure(*size) for name, size in SIZES.items()}


def measure(
    n_regions: int, n_genes: int, *, n_fast: int = N_FAST, n_many: int = N_MANY
) -> dict[str, Any]:
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
        f"{n_many}_nulls_s": round(_wall_of_many(brain, folds, configs, n_many), 1),
        "processes": N_PROCESSES,
        "largest_gap_of_r": float(np.max(gaps)),
    }


def _wall_of_many(
    brain: Brain, folds: Sequence[Fold], configs: list[FitConfig], n_nulls: int
) -> float:
    """Time so many nulls on all folds, in groups shared among processes."""
    rows = same_distances(brain.expression)
    # what a process is sent with each group
    names = tuple(map(str, range(rows.shape[1])))
    slim = replace(brain, expression=rows, genes=names, tss=None)
    group = partial(_group, slim, configs)
    # a process that was forked from one with threads may hang
    with ProcessPoolExecutor(N_PROCESSES, mp_context=get_context("spawn")) as processes:
        # both have started and loaded what they need
        list(processes.map(group, [(folds[0], range(1))] * N_PROCESSES))
        started = time.monotonic()
        groups = [range(k, min(k + N_FAST, n_nulls)) for k in range(0, n_nulls, N_FAST)]
        list(processes.map(group, product(folds, groups)))
        return time.monotonic() - started


def _group(brain: Brain, configs: list[FitConfig], job: tuple[Fold, range]) -> None:
    fold, numbers = job
    surrogate = make_surrogate("hungarian", brain, seed=0)
    spins = surrogate.indices(numbers.start, len(numbers)).T
    with threadpool_limits(1):
        torch.set_num_threads(1)
        moved = [brain.expression[spin] for spin in spins]
        search_kernel_nulls(brain, fold, configs, moved, metric=METRIC)


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

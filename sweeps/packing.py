"""How many trials share a GPU, and what becomes of one that ran out of its memory."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import ray

from gx2c.errors import UserError
from gx2c.fit import ComputeProfile
from sweeps.options import AUTO_GPUS
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from trainables.gpu import StepCost, measure_step
from trainables.work import TrialContext, TrialWork

logger = logging.getLogger("gx2c")

MAX_TRIALS_PER_GPU = 16
# Other configs may be larger than those measured, and blocks of memory are never filled
MEMORY_MARGIN = 1.5
N_MEASURED = 4
# Ray counts shares in steps of this size
SHARE_STEP = 1e-4

Measure = Callable[[TrialContext, Sequence[TrialWork], float], StepCost | None]


def trials_per_gpu(cost: StepCost) -> int:
    """Choose how many trials share a GPU: as many as its memory holds and its time can use.

    A trial that keeps the GPU busy a quarter of the time leaves room for three others.
    """
    by_memory = cost.total_bytes // (MEMORY_MARGIN * cost.peak_bytes + cost.context_bytes)
    by_time = math.ceil(cost.wall_s / cost.busy_s) if cost.busy_s > 0 else MAX_TRIALS_PER_GPU
    return max(1, min(int(by_memory), by_time, MAX_TRIALS_PER_GPU))


def share_of(n_trials: int) -> float:
    """Return the share of each of n trials, such that n of them fit."""
    return math.floor(1 / n_trials / SHARE_STEP) * SHARE_STEP


def larger_share(share: float) -> float:
    """Return the share at half the packing."""
    return min(1.0, 2 * share)


def fit_to_gpus(plan: SweepPlan, measure: Measure | None = None) -> SweepPlan:
    """Settle on the share of a GPU and on how to compute, once the cluster is there.

    Parameters
    ----------
    plan
        As asked for.
    measure
        Measures works at a share on some node; by default on the cluster.

    Raises
    ------
    UserError
        If packing was to be measured and no node has CUDA.
    """
    asked = plan.options.gpus_per_trial
    if not asked:
        return plan
    auto = asked == AUTO_GPUS
    works = _first_works(plan) if auto else []
    cost = (measure or _measure_on_cluster)(plan.context(), works, 1.0 if auto else asked)
    if cost is None and auto:
        raise UserError(
            "--gpus-per-trial auto measures a trial on a GPU, and the node with GPUs has no CUDA; "
            "install a torch with CUDA there, or give a share"
        )
    if cost is None:
        logger.warning(
            "the cluster's GPUs are by name only, for torch finds no CUDA there: "
            "every trial computes on its CPUs"
        )
        threads = plan.options.cpus_per_trial
        return replace(plan, profile=ComputeProfile.choose(gpu=False, threads=threads))
    if not auto:
        return plan
    n_trials = trials_per_gpu(cost)
    logger.warning(
        "%d trials share a GPU: the largest measured took %.2f of %.1f GB and kept it busy for "
        "%.0f %% of %.2f s",
        n_trials,
        (cost.peak_bytes + cost.context_bytes) / 1e9,
        cost.total_bytes / 1e9,
        100 * cost.busy_s / cost.wall_s if cost.wall_s else 0.0,
        cost.wall_s,
    )
    return replace(plan, measured_share=share_of(n_trials))


def _first_works(plan: SweepPlan) -> list[TrialWork]:
    """Return the first configs that the search will try; nothing is recorded."""
    search = plan.board(SweepPaths(Path(os.devnull))).searches[plan.options.model, 0]
    works = [search.next_work() for _ in range(N_MEASURED)]
    return [work for work in works if work is not None]


def _measure_on_cluster(
    context: TrialContext, works: Sequence[TrialWork], share: float
) -> StepCost | None:
    remote = ray.remote(num_cpus=1, num_gpus=share)(measure_step)
    cost: StepCost | None = ray.get(remote.remote(context, works))
    return cost


class Packing:
    """The share of each trial: a larger one after it ran out of memory.

    Parameters
    ----------
    share
        Of a trial to begin with; 0 without GPUs.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.grown: set[str] = set()

    def of(self, name: str) -> float:
        """Return the share of a trial, by its name."""
        return larger_share(self.share) if name in self.grown else self.share

    def grow(self, name: str) -> bool:
        """Give a trial a larger share; False if it has had one."""
        if name in self.grown or self.share >= 1:
            return False
        self.grown.add(name)
        logger.warning(
            "%s ran out of its %g GPU's memory; it begins anew with %g",
            name,
            self.share,
            larger_share(self.share),
        )
        return True

    def notes(self) -> list[str]:
        """Say in the summary which trials needed more than their share."""
        if not self.grown:
            return []
        return [
            f"{len(self.grown)} trial(s) ran out of {self.share:g} GPU's memory and were run again "
            f"with twice as much ({', '.join(sorted(self.grown)[:5])})"
        ]

"""Time until a validation score is reached: blocks of regions against pairs, side by side.

`gx2c bench time-to-score`. The published recipe is batches of 512 ordered pairs, AdamW at 1e-4
and a fixed number of passes; both schemes are also given the best of several learning rates. The
goal is the score at which the published recipe ends.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.per_pair import PerPairFit
from benchmarks.step import quick_config
from gx2c.data import Brain, load_dataset, make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, NetworkFit, TrainingSet
from gx2c.metrics import score_edges
from gx2c.splits import Fold, make_folds

THREADS = 2
PASSES = 90
PUBLISHED_RATE = 1e-4
RATES = (3e-4, 1e-3, 3e-3)
BLOCKS = (16, 32)
SEEDS = (0, 1)


@dataclass(frozen=True)
class Curve:
    """Validation mean squared error after each pass, and the seconds of training until then."""

    mse: list[float]
    seconds: list[float]

    def seconds_to(self, goal: float) -> float:
        """Seconds until the error is no more than the goal; infinite if it never is."""
        reached = [s for m, s in zip(self.mse, self.seconds, strict=True) if m <= goal]
        return reached[0] if reached else float("inf")


def run() -> dict[str, Any]:
    """Compare on real and on synthetic data; about a quarter of an hour."""
    torch.set_num_threads(THREADS)
    brains = {
        "schaefer100": load_dataset("schaefer100"),
        "synthetic160": make_synthetic_brain(n_regions=160, n_genes=1_000, seed=0),
    }
    results = {name: compare(brain) for name, brain in brains.items()}
    return {
        "threads": THREADS,
        "passes": PASSES,
        "ratio_time_to_score": {name: r["ratio_published"] for name, r in results.items()},
        "details": results,
    }


def compare(brain: Brain) -> dict[str, Any]:
    """Run both schemes on one brain and one fold."""
    fold = make_folds(brain.coords_mm, brain.hemisphere, seed=0)[0]
    published = [train(PerPairFit, brain, fold, rate=PUBLISHED_RATE, seed=s) for s in SEEDS]
    pairs = {r: [train(PerPairFit, brain, fold, rate=r, seed=s) for s in SEEDS] for r in RATES}
    blocks = {
        (b, r): [train(NetworkFit, brain, fold, rate=r, seed=s, block=b) for s in SEEDS]
        for b in BLOCKS
        for r in RATES
    }
    goal = float(np.mean([curve.mse[-1] for curve in published]))
    ours, best_pairs = _soonest(blocks, goal), _soonest(pairs, goal)
    published_s = float(np.mean([curve.seconds[-1] for curve in published]))
    return {
        "goal_mse": goal,
        "published_seconds": published_s,
        "pairs_tuned": best_pairs,
        "blocks_tuned": ours,
        "ratio_published": round(published_s / ours["seconds"], 1),
        "ratio_both_tuned": round(best_pairs["seconds"] / ours["seconds"], 1),
        "best_mse": {
            "published": _best([published]),
            "pairs_tuned": _best(list(pairs.values())),
            "blocks_tuned": _best(list(blocks.values())),
        },
    }


def train(
    scheme: type[NetworkFit], brain: Brain, fold: Fold, *, rate: float, seed: int, block: int = 16
) -> Curve:
    """Train on the training regions at a constant rate and follow the held-out regions."""
    genes = GeneOptions("500_var")
    plain = quick_config().to_dict() | {"genes": {"which": "500_var", "order": "tss", "seed": 0}}
    plain["training"]["block_regions"] = block
    training = TrainingSet.cut(brain, fold.train_regions, genes)
    profile = ComputeProfile(threads=THREADS)
    fit = scheme(FitConfig.from_dict(plain), [training], seeds=[seed], profile=profile)
    shown = [training.show(brain, fold.test_regions)]
    measured = brain.connectome_block(fold.test_regions)
    mse, seconds, spent = [], [], 0.0
    for number in range(1, PASSES + 1):
        started = time.perf_counter()
        fit.run_pass(number, rate)
        spent += time.perf_counter() - started
        seconds.append(spent)
        mse.append(score_edges(fit.predict(shown)[0], measured)["mse"])
    return Curve(mse, seconds)


def _soonest(curves: dict[Any, list[Curve]], goal: float) -> dict[str, Any]:
    means = {k: float(np.mean([c.seconds_to(goal) for c in v])) for k, v in curves.items()}
    setting = min(means, key=means.__getitem__)
    return {"setting": str(setting), "seconds": means[setting]}


def _best(groups: list[list[Curve]]) -> float:
    """Lowest error that a setting reaches, averaged over seeds."""
    return min(float(np.mean([min(curve.mse) for curve in group])) for group in groups)

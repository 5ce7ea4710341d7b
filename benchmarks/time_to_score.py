"""Time until a validation score is reached: blocks of regions against pairs, side by side.

`gx2c bench time-to-score`. The published recipe is batches of 512 ordered pairs, AdamW at 1e-4
and a fixed number of passes; both schemes are also given the best of two learning rates. The goal
is the score at which the published recipe ends. Times are processor seconds of one thread: other
work on the machine counts for neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.per_pair import PerPairFit
from benchmarks.step import quick_config
from gx2c.data import Brain, load_dataset, make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, NetworkFit, TrainingSet
from gx2c.metrics import score_edges
from gx2c.splits import Fold, make_folds

PASSES = 40
PUBLISHED_RATE = 1e-4
RATES = (1e-3, 3e-3)
BLOCKS = (16, 32)
# Of the quick comparison in `gx2c bench step`: block and learning rate
SHORT = (16, 3e-3)


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
    """Compare on real and on synthetic data; seven minutes of one quiet core."""
    torch.set_num_threads(1)
    results = {
        "schaefer100": compare(load_dataset("schaefer100"), which="500_var", seeds=(0, 1)),
        "synthetic100": compare(
            make_synthetic_brain(n_regions=100, n_genes=1_000, seed=0), which="all", seeds=(0,)
        ),
    }
    return {
        "threads": 1,
        "passes": PASSES,
        "ratio_time_to_score": {name: r["ratio_published"] for name, r in results.items()},
        "details": results,
    }


def short() -> dict[str, float]:
    """Return the ratio on schaefer100 alone, one seed and the setting that won in `run`."""
    brain, (block, rate) = load_dataset("schaefer100"), SHORT
    fold, config = (
        make_folds(brain.coords_mm, brain.hemisphere, seed=0)[0],
        config_of("500_var", block),
    )
    published = train(PerPairFit, brain, fold, config, rate=PUBLISHED_RATE, seed=0)
    ours = train(NetworkFit, brain, fold, config, rate=rate, seed=0)
    ratio = published.seconds[-1] / ours.seconds_to(published.mse[-1])
    return {"schaefer100": round(ratio, 1)}


def compare(brain: Brain, *, which: str, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Run both schemes on one brain and one fold, every setting with every seed."""
    fold = make_folds(brain.coords_mm, brain.hemisphere, seed=0)[0]

    def curves(scheme: type[NetworkFit], rate: float, block: int = BLOCKS[0]) -> list[Curve]:
        config = config_of(which, block)
        return [train(scheme, brain, fold, config, rate=rate, seed=seed) for seed in seeds]

    published = curves(PerPairFit, PUBLISHED_RATE)
    pairs = {str(rate): curves(PerPairFit, rate) for rate in RATES}
    same_rate = {f"{b} regions": curves(NetworkFit, PUBLISHED_RATE, b) for b in BLOCKS}
    blocks = {f"{b} regions, {r}": curves(NetworkFit, r, b) for b in BLOCKS for r in RATES}
    goal = float(np.mean([curve.mse[-1] for curve in published]))
    spent = [curve.seconds[-1] for curve in published]
    ours, theirs = soonest(blocks, goal), soonest(pairs, goal)
    return {
        "seeds": len(seeds),
        "goal_mse": goal,
        "published_seconds": {"mean": float(np.mean(spent)), "each": spent},
        "pairs_to_goal": seconds_to_goal(pairs, goal),
        "blocks_to_goal": seconds_to_goal(blocks | same_rate, goal),
        "ratio_published": round(float(np.mean(spent)) / ours["seconds"], 1),
        "ratio_both_tuned": round(theirs["seconds"] / ours["seconds"], 1),
        "best_mse": {
            "published": lowest({"published": published}),
            "pairs": lowest(pairs),
            "blocks": lowest(blocks),
        },
    }


def config_of(which: str, block: int) -> FitConfig:
    """Return the quick SMT on some genes."""
    plain = quick_config().to_dict() | {"genes": {"which": which, "order": "tss", "seed": 0}}
    plain["training"]["block_regions"] = block
    return FitConfig.from_dict(plain)


def train(
    scheme: type[NetworkFit],
    brain: Brain,
    fold: Fold,
    config: FitConfig,
    *,
    rate: float,
    seed: int,
) -> Curve:
    """Train on the training regions at a constant rate and follow the held-out regions."""
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    fit = scheme(config, [training], seeds=[seed], profile=ComputeProfile(threads=1))
    shown = [training.show(brain, fold.test_regions)]
    measured = brain.connectome_block(fold.test_regions)
    mse, seconds, spent = [], [], 0.0
    for number in range(1, PASSES + 1):
        started = time.process_time()
        fit.run_pass(number, rate)
        spent += time.process_time() - started
        seconds.append(spent)
        mse.append(score_edges(fit.predict(shown)[0], measured)["mse"])
    return Curve(mse, seconds)


def seconds_to_goal(curves: Mapping[str, list[Curve]], goal: float) -> dict[str, list[float]]:
    """Seconds of each setting and seed."""
    return {name: [round(c.seconds_to(goal), 2) for c in group] for name, group in curves.items()}


def soonest(curves: Mapping[str, list[Curve]], goal: float) -> dict[str, Any]:
    """Return the setting whose mean over seeds is the least."""
    means = {k: float(np.mean([c.seconds_to(goal) for c in v])) for k, v in curves.items()}
    setting = min(means, key=means.__getitem__)
    return {"setting": setting, "seconds": means[setting]}


def lowest(curves: Mapping[str, list[Curve]]) -> float:
    """Lowest error that a setting reaches, averaged over seeds."""
    return min(float(np.mean([min(curve.mse) for curve in group])) for group in curves.values())

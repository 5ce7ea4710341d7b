"""How noisy a step's gradient is, and what it costs: blocks of regions against batches of pairs.

`gx2c bench gradient-noise`. All ordered pairs of n regions share their ends, so a block says less
than as many pairs drawn at random; but it costs n encodings, and not two for every pair.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.per_pair import PUBLISHED_BATCH, PerPairFit, ordered_pairs
from benchmarks.time_to_score import config_of
from gx2c.data import load_dataset
from gx2c.fit import ComputeProfile, NetworkFit, TrainingSet
from gx2c.splits import make_folds

BLOCKS = (8, 16, 23, 32, 64)
DRAWS = 48
WARM_UP_PASSES = 5
RATE = 1e-3


def run() -> dict[str, Any]:
    """Measure on schaefer100 with the quick SMT, after a few passes; about two minutes."""
    torch.set_num_threads(1)
    fit = trained()
    rng = np.random.default_rng(0)
    n_regions = len(fit.targets[0])
    pairs = torch.from_numpy(ordered_pairs(n_regions))

    def of_pairs() -> None:
        batch = torch.from_numpy(rng.choice(len(pairs), PUBLISHED_BATCH, replace=False))
        PerPairFit.step_on(fit, pairs[batch])

    schemes: dict[str, Callable[[], None]] = {f"{PUBLISHED_BATCH} pairs": of_pairs}
    for block in BLOCKS:
        schemes[f"block of {block}"] = lambda block=block: _step(
            fit, torch.from_numpy(rng.permutation(n_regions)[:block])
        )
    found = {name: noise(fit, step) for name, step in schemes.items()}
    return {"threads": 1, "draws": DRAWS, "clock": "processor seconds", "schemes": found}


def trained() -> NetworkFit:
    """Return the quick SMT after a few passes, whose optimiser stands still from now on."""
    brain = load_dataset("schaefer100")
    fold = make_folds(brain.coords_mm, brain.hemisphere, seed=0)[0]
    config = config_of("500_var", 16)
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    fit = NetworkFit(config, [training], seeds=[0], profile=ComputeProfile(threads=1))
    for number in range(1, WARM_UP_PASSES + 1):
        fit.run_pass(number, RATE)
    for group in fit.optimizer.param_groups:
        group["lr"] = group["weight_decay"] = 0.0
    return fit


def noise(fit: NetworkFit, step: Callable[[], None]) -> dict[str, float]:
    """Draw gradients; return their variance over the square of their mean, and the seconds.

    `seconds_per_signal` is what one step would take if it were repeated until the variance of
    the mean gradient equals its square.
    """
    gradients, seconds = [], []
    for _ in range(DRAWS):
        started = time.process_time()
        step()
        seconds.append(time.process_time() - started)
        gradients.append(_flat_gradient(fit))
    stacked = torch.stack(gradients)
    variance = stacked.var(0).sum().item()
    # the mean of few draws is itself noisy: its expected square is that much too large
    signal = stacked.mean(0).square().sum().item() - variance / DRAWS
    cost = float(np.median(seconds))
    return {
        "noise": round(variance / signal, 2),
        "milliseconds": round(cost * 1e3, 2),
        "spread": round(max(seconds) / min(seconds), 2),
        "seconds_per_signal": round(cost * variance / signal, 4),
    }


def _step(fit: NetworkFit, rows: Tensor) -> None:
    fit.step_on([rows])


def _flat_gradient(fit: NetworkFit) -> Tensor:
    return torch.cat([p.grad.flatten() for p in fit.network.parameters() if p.grad is not None])

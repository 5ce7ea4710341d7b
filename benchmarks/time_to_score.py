"""Time until a validation score is reached, blocks against pairs: `gx2c bench time-to-score`.

The published recipe is batches of 512 ordered pairs, AdamW at 1e-4 and a fixed number of epochs;
both schemes also get the better of two learning rates. The goal is the score at which the
published recipe ends. Times are processor seconds of one thread.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gx2c.data import Brain, load_dataset, make_synthetic_brain
from gx2c.fit import (
    ComputeProfile,
    FitConfig,
    GeneOptions,
    NetworkFit,
    TrainingSet,
    TrainingSettings,
)
from gx2c.metrics import score_edges
from gx2c.splits import make_folds

EPOCHS = 40
PUBLISHED_BATCH = 512
PUBLISHED_RATE = 1e-4
RATES = (1e-3, 3e-3)
BLOCKS = (16, 32)
QUICK = FitConfig(
    "smt",
    {
        "genes_per_token": 20,
        "model_dim": 32,
        "token_output_dim": 4,
        "n_heads": 2,
        "n_layers": 1,
        "hidden_dims": (128, 64),
        "encoder_dropout": 0.2,
        "dropout": 0.2,
    },
    TrainingSettings(block_regions=16),
)


def ordered_pairs(n_regions: int) -> np.ndarray:
    """Return all ordered pairs i != j, (n_regions * (n_regions - 1), 2), row-major."""
    return np.argwhere(~np.eye(n_regions, dtype=bool))


def per_pair_loss(fit: NetworkFit, pairs: Tensor) -> Tensor:
    """Mean squared error, (1,), on pairs of training regions, (n_pairs, 2), each end encoded."""
    inputs, network = fit.inputs[0], fit.network
    ends = [
        network.encode(inputs.expression[side].unsqueeze(0), inputs.coords[side].unsqueeze(0))
        for side in pairs.T
    ]
    predicted = network.head.decode_hidden(network.head.left(ends[0]) + network.head.right(ends[1]))
    return (predicted - fit.targets[0][pairs[:, 0], pairs[:, 1]]).square().mean(1)


class PerPairFit(NetworkFit):
    """`NetworkFit` with the published scheme: shuffled batches of ordered pairs.

    Networks, loss, kernels, number format, threads and in-memory gathers are those of `gx2c.fit`;
    only what a step encodes differs.
    """

    def run_epoch(self, number: int, learning_rate: float) -> np.ndarray:
        """Train one epoch over all ordered pairs."""
        self.streams.seed([self.seeds[0] + number])
        rng = np.random.default_rng([self.seeds[0], number])
        pairs = torch.from_numpy(rng.permutation(ordered_pairs(len(self.targets[0]))))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.network.train()
        losses = [self.step_on(batch) for batch in pairs.split(PUBLISHED_BATCH) if len(batch) > 1]
        return torch.stack(losses).mean(0).double().numpy()

    def step_on(self, pairs: Tensor) -> Tensor:
        """Take one optimiser step on some pairs."""
        self.optimizer.zero_grad(set_to_none=True)
        mse = per_pair_loss(self, pairs)
        mse.sum().backward()
        self.optimizer.step()
        return mse.detach()


# scheme, learning rate, and the regions of a block
SETTINGS = {
    "published": (PerPairFit, PUBLISHED_RATE, BLOCKS[0]),
    **{f"pairs at {rate}": (PerPairFit, rate, BLOCKS[0]) for rate in RATES},
    **{
        f"blocks of {block} at {rate}": (NetworkFit, rate, block)
        for block in BLOCKS
        for rate in (PUBLISHED_RATE, *RATES)
    },
}


def run() -> dict[str, Any]:
    """Compare on real and on synthetic data; seven minutes of one quiet core."""
    torch.set_num_threads(1)
    results = {
        "schaefer100": compare(load_dataset("schaefer100"), genes="500_var", seeds=(0, 1)),
        "synthetic100": compare(
            make_synthetic_brain(n_regions=100, n_genes=1_000, seed=0), genes="all", seeds=(0,)
        ),
    }
    return {
        "threads": 1,
        "epochs": EPOCHS,
        "ratio_time_to_score": {name: r["ratio_published"] for name, r in results.items()},
        "details": results,
    }


def compare(brain: Brain, *, genes: str, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Run both schemes on one brain and one fold, every setting with every seed."""
    curves = {
        name: [train(brain, *setting, genes=genes, seed=seed) for seed in seeds]
        for name, setting in SETTINGS.items()
    }
    goal = float(np.mean([mse[-1] for mse, _ in curves["published"]]))
    spent = float(np.mean([seconds[-1] for _, seconds in curves["published"]]))
    to_goal = {name: [seconds_to(goal, *c) for c in group] for name, group in curves.items()}
    blocks, pairs = soonest(to_goal, "blocks"), soonest(to_goal, "pairs")
    return {
        "seeds": len(seeds),
        "goal_mse": goal,
        "published_seconds": spent,
        "seconds_to_goal": to_goal,
        "ratio_published": round(spent / blocks, 1),
        "ratio_both_tuned": round(pairs / blocks, 1),
        "lowest_mse": {
            name: float(np.mean([min(mse) for mse, _ in group])) for name, group in curves.items()
        },
    }


def train(
    brain: Brain, scheme: type[NetworkFit], rate: float, block: int, *, genes: str, seed: int
) -> tuple[list[float], list[float]]:
    """Train on one fold's training regions at a constant rate.

    Returns
    -------
    tuple
        After each epoch, the mean squared error on the held-out regions, and the seconds of
        training until then.
    """
    fold = make_folds(brain, seed=0)[0]
    settings = replace(QUICK.training, block_regions=block)
    config = replace(QUICK, training=settings, genes=GeneOptions(genes))
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    fit = scheme(config, [training], seeds=[seed], profile=ComputeProfile(threads=1))
    shown = [training.show(brain, fold.test_regions)]
    measured = brain.connectome_block(fold.test_regions)
    mse, seconds, spent = [], [], 0.0
    for number in range(1, EPOCHS + 1):
        started = time.process_time()
        fit.run_epoch(number, rate)
        spent += time.process_time() - started
        seconds.append(round(spent, 2))
        mse.append(score_edges(fit.predict(shown)[0], measured)["mse"])
    return mse, seconds


def seconds_to(goal: float, mse: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the seconds until the error is at most the goal; infinite if it never is."""
    return next((s for m, s in zip(mse, seconds, strict=True) if m <= goal), math.inf)


def soonest(seconds: Mapping[str, Sequence[float]], scheme: str) -> float:
    """Return the least mean over seeds of any setting of a scheme."""
    return min(float(np.mean(each)) for name, each in seconds.items() if name.startswith(scheme))

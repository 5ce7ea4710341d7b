"""The published training scheme, as the thing to beat: both regions of every pair are encoded.

Same networks, loss, kernels, number format, threads and in-memory gathers as `gx2c.fit`; only
what a step encodes differs. It lives here alone: gx2c has one way to train.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gx2c.fit import NetworkFit

PUBLISHED_BATCH = 512


def ordered_pairs(n_regions: int) -> np.ndarray:
    """Return all ordered pairs i != j, (n_regions * (n_regions - 1), 2), row-major."""
    return np.argwhere(~np.eye(n_regions, dtype=bool))


def decode_pairs(network: torch.nn.Module, left: Tensor, right: Tensor) -> Tensor:
    """Decode pairs whose ends are given row by row, (n_members, n_pairs)."""
    head = network.head
    return head.decode_hidden(head.left(left) + head.right(right))


def per_pair_loss(fit: NetworkFit, pairs: Tensor) -> Tensor:
    """Mean squared error on some pairs, both ends of each encoded, (1,).

    Parameters
    ----------
    fit
        With one member.
    pairs
        (n_pairs, 2) indices of training regions.
    """
    inputs, network = fit.inputs[0], fit.network
    ends = [
        network.encode(inputs.expression[side].unsqueeze(0), inputs.coords[side].unsqueeze(0))
        for side in pairs.T
    ]
    wanted = fit.targets[0][pairs[:, 0], pairs[:, 1]]
    return (decode_pairs(network, *ends) - wanted).square().mean(1)


class PerPairFit(NetworkFit):
    """`NetworkFit` with the published scheme: shuffled batches of ordered pairs."""

    batch = PUBLISHED_BATCH

    def run_pass(self, number: int, learning_rate: float) -> np.ndarray:
        """Train one pass over all ordered pairs."""
        self.streams.seed([self.seeds[0] + number])
        rng = np.random.default_rng([self.seeds[0], number])
        pairs = torch.from_numpy(rng.permutation(ordered_pairs(len(self.targets[0]))))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.network.train()
        losses = [self.step_on(batch) for batch in pairs.split(self.batch) if len(batch) > 1]
        return torch.stack(losses).mean(0).double().numpy()

    def step_on(self, pairs: Tensor) -> Tensor:
        """Take one optimiser step on some pairs."""
        self.optimizer.zero_grad(set_to_none=True)
        mse = per_pair_loss(self, pairs)
        mse.sum().backward()
        self.optimizer.step()
        return mse.detach()

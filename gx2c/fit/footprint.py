"""How many networks to train at once: as many as fit a budget, by their shapes alone."""

from __future__ import annotations

import torch
from torch import Tensor

from gx2c.fit.config import FitConfig
from gx2c.models import MODELS

# What the backward pass may have to keep, of all networks that are computed together. On a CPU
# it pays to stay near the caches (docs/performance.md); a GPU wants large launches.
BUDGET_BYTES = {"cpu": 12 * 2**20, "cuda": 2**31}


def members_at_once(config: FitConfig, *, n_genes: int, block: int, device: str) -> int:
    """Return how many networks of one config to compute together, at least one.

    It follows from the config, the data's size and the kind of device, never from how busy a
    machine is or how much memory it has left: a result must not depend on them.

    Parameters
    ----------
    config
        Of an iterative model.
    n_genes
        Genes per region.
    block
        Regions in a step.
    device
        A key of `BUDGET_BYTES`.
    """
    return max(1, BUDGET_BYTES[device] // saved_bytes(config, n_genes=n_genes, block=block))


def saved_bytes(config: FitConfig, *, n_genes: int, block: int) -> int:
    """Count the bytes that one network's step keeps for its backward pass.

    The step is taken on torch's meta device, which knows shapes and has neither numbers nor
    memory; without dropout, for there is nothing to draw.
    """
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"):
        network = MODELS[config.model].build(n_genes, n_members=1, **config.hyperparameters)
        expression, coords = torch.empty(1, block, n_genes), torch.empty(1, block, 3)
    network.eval()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network.decode_within(network.encode(expression, coords))
    return max(1, sum(tensor.untyped_storage().nbytes() for tensor in kept.values()))

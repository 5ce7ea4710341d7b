"""Train many networks of one config in batches sized to a memory budget."""

import copy
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gx2c.data.brain import FloatArray, Regions
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.network import NetworkFit, steps_per_epoch
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.start import Start
from gx2c.models import MODELS

# Memory that the backward pass may need for all networks computed together. On a CPU it pays
# to stay near the caches (docs/performance.md); a GPU wants large launches.
BUDGET_BYTES = {"cpu": 12 * 2**20, "cuda": 2**31}


def members_at_once(config: FitConfig, *, n_genes: int, block: int, device: str) -> int:
    """Return how many networks of one config to compute together, at least one.

    It follows from the config, the data's size and the kind of device, never from how busy a
    machine is or how much memory it has left: a result must not depend on them.

    Parameters
    ----------
    config
        Config of a model that trains in epochs.
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
    hyperparameters = tuple(sorted(config.hyperparameters.items()))
    return _saved_bytes(config.model, hyperparameters, n_genes, block)


# retraining and every null ask again for configs that the search has asked for
@functools.lru_cache(maxsize=4096)
def _saved_bytes(
    model: str, hyperparameters: tuple[tuple[str, Any], ...], n_genes: int, block: int
) -> int:
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"):
        network = MODELS[model].build(n_genes, **dict(hyperparameters))
        expression, coords = torch.empty(1, block, n_genes), torch.empty(1, block, 3)
    network.eval()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network.decode_within(network.encode(expression, coords))
    return max(1, sum(tensor.untyped_storage().nbytes() for tensor in kept.values()))


class FitInTurn:
    """K networks of one config, in groups of neighbours that are each one `NetworkFit`.

    Small networks are cheaper together, large ones one by one: their activations leave the
    caches, and memory grows with every member. Networks are independent, so the groups change
    nothing but rounding; they follow from `members_at_once` and K alone.

    Parameters
    ----------
    config, training_sets, seeds, profile, start
        As in `NetworkFit`.
    """

    def __init__(
        self,
        config: FitConfig,
        training_sets: Sequence[TrainingSet],
        *,
        seeds: Sequence[int],
        profile: ComputeProfile,
        start: Start | None = None,
    ) -> None:
        self.seeds, self.profile = tuple(seeds), profile
        steps = steps_per_epoch(
            [len(s.regions) for s in training_sets], config.training.block_regions
        )
        most = members_at_once(
            config,
            n_genes=len(training_sets[0].gene_indices),
            block=steps[1],
            device=profile.device,
        )
        self.parts = equal_parts(len(training_sets), most)
        self.groups = [
            NetworkFit(
                config,
                training_sets[p],
                seeds=seeds[p],
                profile=profile,
                steps=steps,
                start=start,
            )
            for p in self.parts
        ]

    def run_epoch(self, number: int, learning_rate: float) -> FloatArray:
        """Train one epoch; see `NetworkFit.run_epoch`."""
        return np.concatenate([group.run_epoch(number, learning_rate) for group in self.groups])

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each member's regions; see `NetworkFit.predict`."""
        return [
            predicted
            for part, group in zip(self.parts, self.groups, strict=True)
            for predicted in group.predict(regions[part])
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the state from which `load_state_dict` continues at the next epoch."""
        states = [
            {name: part.state_dict() for name, part in _parts_of(group).items()}
            for group in self.groups
        ]
        return {"groups": copy.deepcopy(states)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        # an optimiser would go on writing into the tensors that it is given
        for group, saved in zip(self.groups, copy.deepcopy(state["groups"]), strict=True):
            for name, part in _parts_of(group).items():
                part.load_state_dict(saved[name])

    def weights(self) -> dict[str, Tensor]:
        """Return all members' weights that predict, each with a leading member axis."""
        return weights_of([group.predictor for group in self.groups])


def weights_of(networks: Sequence[nn.Module]) -> dict[str, Tensor]:
    """Return a copy of the weights of neighbouring groups of members, as those of one."""
    states = [network.state_dict() for network in networks]
    return {name: torch.cat([state[name] for state in states]) for name in states[0]}


def _parts_of(fit: NetworkFit) -> dict[str, Any]:
    """Return what a checkpoint holds of a fit, by name."""
    parts = {"network": fit.network, "optimizer": fit.optimizer, "averaged": fit.averaged}
    return {name: part for name, part in parts.items() if part is not None}


def equal_parts(n_members: int, most: int) -> list[slice]:
    """Cut 0 ... n_members into as few neighbouring parts as possible, nearly equally long."""
    size = math.ceil(n_members / math.ceil(n_members / most))
    return [slice(start, start + size) for start in range(0, n_members, size)]

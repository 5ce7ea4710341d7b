"""Train many networks of one config, as many at once as pays, one group after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import FloatArray, Regions
from gx2c.fit.blocks import steps_per_pass
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.footprint import members_at_once
from gx2c.fit.network import NetworkFit
from gx2c.fit.prepare import TrainingSet


class FitInTurn:
    """K networks of one config, in groups of neighbours that are each one `NetworkFit`.

    Small networks are cheaper together, large ones one by one: their activations leave the
    caches, and memory grows with every member. Networks are independent, so the groups change
    nothing but rounding; they follow from `members_at_once` and K alone.

    Parameters
    ----------
    config, training_sets, seeds, profile
        As of `NetworkFit`.
    """

    def __init__(
        self,
        config: FitConfig,
        training_sets: Sequence[TrainingSet],
        *,
        seeds: Sequence[int],
        profile: ComputeProfile,
    ) -> None:
        self.seeds, self.profile = tuple(seeds), profile
        steps = steps_per_pass(
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
            NetworkFit(config, training_sets[p], seeds=seeds[p], profile=profile, steps=steps)
            for p in self.parts
        ]

    def run_pass(self, number: int, learning_rate: float) -> FloatArray:
        """Train one pass; see `NetworkFit.run_pass`."""
        return np.concatenate([group.run_pass(number, learning_rate) for group in self.groups])

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each member's regions; see `NetworkFit.predict`."""
        return [
            predicted
            for part, group in zip(self.parts, self.groups, strict=True)
            for predicted in group.predict(regions[part])
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that `load_state_dict` needs to continue at the next pass."""
        return {"groups": [group.state_dict() for group in self.groups]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        for group, saved in zip(self.groups, state["groups"], strict=True):
            group.load_state_dict(saved)

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of all members' weights, each with a leading member axis."""
        of_groups = [group.weights() for group in self.groups]
        return {name: torch.cat([w[name] for w in of_groups]) for name in of_groups[0]}

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Put back weights that `weights` returned."""
        for part, group in zip(self.parts, self.groups, strict=True):
            group.restore({name: values[part] for name, values in weights.items()})


def equal_parts(n_members: int, most: int) -> list[slice]:
    """Cut 0 ... n_members into as few neighbouring parts as possible, nearly equally long."""
    size = math.ceil(n_members / math.ceil(n_members / most))
    return [slice(start, start + size) for start in range(0, n_members, size)]

"""A token made from a region's coordinates: learned, and two ablations of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gx2c.models.keywords import require_choice
from gx2c.models.population import PopulationLayer, PopulationLinear

# Turns a standard deviation (some 30 mm) into hundreds of radians: the closest neighbours among
# regions, a few mm apart, get unrelated values
FREQUENCY = 300.0


class ScrambledCoordinates(PopulationLayer):
    """Three numbers a region that say nothing of where it lies.

    sqrt(2) sin(F c + p) with a very rough F of each member's own: the same region always gets the
    same numbers, held-out regions get some too, and neighbours have nothing in common.

    Parameters
    ----------
    n_members
        Networks held side by side.
    """

    frequency: Tensor
    phase: Tensor

    def __init__(self, *, n_members: int) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.empty(n_members, 1, 3, 3))
        self.register_buffer("phase", torch.empty(n_members, 1, 3))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw the frequencies and phases."""
        self.frequency[member].normal_(0, FREQUENCY, generator=generator)
        self.phase[member].uniform_(0, 2 * math.pi, generator=generator)

    def forward(self, coords: Tensor) -> Tensor:
        """Scramble (n_members, n_regions, 3)."""
        # not a matrix product, which half precision would round to another hash
        angle = (coords.unsqueeze(3) * self.frequency).sum(2) + self.phase
        return math.sqrt(2) * torch.sin(angle)


def _learned(model_dim: int, n_members: int) -> nn.Module:
    return PopulationLinear(3, model_dim, n_members=n_members)


def _fixed(model_dim: int, n_members: int) -> nn.Module:
    return PopulationLinear(3, model_dim, n_members=n_members).requires_grad_(False)


def _random(model_dim: int, n_members: int) -> nn.Module:
    return nn.Sequential(ScrambledCoordinates(n_members=n_members), _learned(model_dim, n_members))


# A trained map of coordinates; a map that stays as it was drawn; a trained map of noise
COORDINATE_TOKENS: dict[str, Callable[[int, int], nn.Module]] = {
    "learned": _learned,
    "fixed": _fixed,
    "random": _random,
}


def coordinate_token(kind: str, model_dim: int, *, n_members: int) -> nn.Module:
    """Make a map from coordinates to a token; `kind` is a key of `COORDINATE_TOKENS`."""
    require_choice("coordinates", kind, COORDINATE_TOKENS)
    return COORDINATE_TOKENS[kind](model_dim, n_members)

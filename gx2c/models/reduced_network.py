"""A network whose encoder is a reduction of expression; heads differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gx2c.models.bilinear_head import BilinearHead
from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.pair_head import PairHead
from gx2c.models.protocol import EXPRESSION, TrainingView
from gx2c.models.reduced_genes import ReducedGenes

# What the specs of all models on few numbers a region have in common
REDUCED_SPEC: Mapping[str, Any] = {
    "kind": "iterative",
    "uses": (EXPRESSION,),
    "reference": "GeneEx2Conn, NeurIPS 2025",
}


class ReducedNetwork(HeadedNetwork):
    """Scores of each region, decoded by a head.

    Parameters
    ----------
    reduced
        Makes the scores.
    head
        Decodes pairs of them.
    """

    def __init__(self, reduced: ReducedGenes, head: PairHead | BilinearHead) -> None:
        super().__init__()
        self.reduced = reduced
        self.head = head

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Reduce each region once, (n_members, n_regions, n_components)."""
        z: Tensor = self.reduced(expression)
        return z

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn a member's reduction from its training regions."""
        self.reduced.prepare(member, training, seed=seed)

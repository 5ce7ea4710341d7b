"""A pair head on the mean of two embeddings, and the table of ways to combine a pair."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gx2c.models.pair_head import PairHead
from gx2c.models.population import PopulationLinear


class MeanHead(PairHead):
    """As `PairHead`, with (z_i + z_j) / 2 in place of [z_i; z_j]: symmetric by construction.

    Parameters
    ----------
    embedding_dim, hidden_dims, dropout, n_members
        As of `PairHead`.
    """

    def __init__(
        self, embedding_dim: int, hidden_dims: Sequence[int], *, dropout: float, n_members: int
    ) -> None:
        super().__init__(embedding_dim, hidden_dims, dropout=dropout, n_members=n_members)
        self.first = PopulationLinear(embedding_dim, hidden_dims[0], n_members=n_members)

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        assert self.first.bias is not None
        half = torch.bmm(z / 2, self.first.weight)
        return half + self.first.bias, half


HEADS: dict[str, type[PairHead]] = {"concat": PairHead, "mean": MeanHead}

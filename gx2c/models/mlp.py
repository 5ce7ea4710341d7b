"""The pair MLP: every gene of both regions, with or without their coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.pair_head import PairHead
from gx2c.models.protocol import ModelSpec


class PairMLP(HeadedNetwork):
    """An MLP on the features of both regions; the encoder is the identity.

    Parameters
    ----------
    n_genes
        Genes per region.
    hidden_dims, dropout
        Of the pair head.
    with_coords
        Append the region's coordinates to its expression.
    n_members
        Networks held side by side.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `dynamic_mlp`.
    """

    def __init__(
        self,
        n_genes: int,
        *,
        hidden_dims: Sequence[int] = (512, 256, 128),
        dropout: float = 0.1,
        with_coords: bool = False,
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        self.with_coords = with_coords
        n_features = n_genes + 3 * with_coords
        self.head = PairHead(n_features, hidden_dims, dropout=dropout, n_members=n_members)

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Return the features themselves, (n_members, n_regions, n_features)."""
        return torch.cat([expression, coords], dim=2) if self.with_coords else expression


def _build_with_coords(n_genes: int, **keywords: Any) -> PairMLP:
    return PairMLP(n_genes, with_coords=True, **keywords)


_PUBLISHED = {"hidden_dims": (512, 256, 128), "dropout": 0.1}

SPECS = (
    ModelSpec(
        name="mlp",
        kind="iterative",
        uses=("expression",),
        build=PairMLP,
        summary="MLP on the expression of both regions",
        reference="GeneEx2Conn, NeurIPS 2025",
        defaults=_PUBLISHED,
    ),
    ModelSpec(
        name="mlp_coords",
        kind="iterative",
        uses=("expression", "coordinates"),
        build=_build_with_coords,
        summary="MLP on the expression and coordinates of both regions",
        reference="GeneEx2Conn, NeurIPS 2025",
        defaults=_PUBLISHED,
    ),
)

"""SMT whose pooled tokens are modulated by where a region lies and how far its partner is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gx2c.models.pair_head import PairHead, off_diagonal
from gx2c.models.population import PopulationDropout, PopulationLinear
from gx2c.models.protocol import COORDINATES, EXPRESSION, PAIR_DISTANCE, ModelSpec, TrainingView
from gx2c.models.token_network import TokenNetwork
from gx2c.models.tokenisers import GeneChunks


class ClsPool(TokenNetwork):
    """A pooled SMT, and FiLM by a token made from coordinates and the pair's distance.

    A region's embedding depends on its partner through their distance, so that it belongs to the
    pair. Only FiLM does: tokens, blocks, attention weights and the pooled sum are computed once a
    region, and what is computed for each pair is as wide as one layer of the pair head.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Contiguous genes that make one token.
    model_dim, n_members, transformer
        See `TokenNetwork`.
    cls_dropout
        On the token from coordinates.

    Notes
    -----
    z_i|j = x_i + gamma * x_i + beta, gamma and beta linear in MLP(c_i, |c_i - c_j|), with x_i the
    pooled tokens. Coordinates are in standard deviations and the distance in means over the
    training regions; the published token takes mm.

    References
    ----------
    Perez et al. (2018), "FiLM", AAAI; GeneEx2Conn, NeurIPS 2025, `shared_transformer_cls_pool`.
    """

    head: PairHead
    mm_per_unit: Tensor
    mean_distance_mm: Tensor

    def __init__(
        self,
        n_genes: int,
        *,
        genes_per_token: int = 60,
        model_dim: int = 128,
        cls_dropout: float = 0.3,
        n_members: int = 1,
        **transformer: Any,
    ) -> None:
        super().__init__(
            GeneChunks(n_genes, genes_per_token, model_dim=model_dim, n_members=n_members),
            model_dim=model_dim,
            readout="attention",
            n_members=n_members,
            **transformer,
        )
        self.place = PopulationLinear(4, model_dim, n_members=n_members)
        self.cls = PopulationLinear(model_dim, model_dim, n_members=n_members)
        self.gamma = PopulationLinear(model_dim, model_dim, n_members=n_members)
        self.beta = PopulationLinear(model_dim, model_dim, n_members=n_members)
        self.cls_dropout = PopulationDropout(cls_dropout)
        self.register_buffer("mm_per_unit", torch.ones(n_members, 1, 3))
        self.register_buffer("mean_distance_mm", torch.ones(n_members, 1, 1))

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Keep the units of coordinates and the mean distance of a member's training regions."""
        super().prepare(member, training, seed=seed)
        coords = training.coords_mm
        self.mm_per_unit[member, 0] = torch.from_numpy(coords.std(axis=0))
        between = coords[:, None] - coords
        distances = np.sqrt(np.square(between).sum(axis=2))
        self.mean_distance_mm[member] = float(distances[distances > 0].mean())

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Pool the tokens of each region; its coordinates go along."""
        return torch.cat([super().encode(expression, coords), coords], dim=2)

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        own = self._modulated(z, z)
        # z_j|i is z_i|j of the swapped pair, as the distance is the same
        pairs = self._halves(own, own.transpose(1, 2))
        return self.head.decode_hidden(off_diagonal(pairs))

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        pairs = self._halves(
            self._modulated(left, right), self._modulated(right, left).transpose(1, 2)
        )
        return self.head.decode_hidden(pairs.flatten(1, 2)).view(pairs.shape[:3])

    def _modulated(self, of: Tensor, beside: Tensor) -> Tensor:
        """Modulate regions by their distance to others, (n_members, n_of, n_beside, model_dim)."""
        pooled, coords = of[..., :-3], of[..., -3:]
        distance = self._distance(coords, beside[..., -3:])
        hidden = F.gelu(self._of_place(coords).unsqueeze(2) + self._of_distance(distance))
        cls = self.cls_dropout(self.cls(hidden.flatten(1, 2)))
        gamma, beta = (part(cls).view(hidden.shape) for part in (self.gamma, self.beta))
        x = pooled.unsqueeze(2)
        modulated: Tensor = x + gamma * x + beta
        return modulated

    def _of_place(self, coords: Tensor) -> Tensor:
        assert self.place.bias is not None
        return torch.baddbmm(self.place.bias, coords, self.place.weight[:, :3])

    def _of_distance(self, distance: Tensor) -> Tensor:
        return distance.unsqueeze(3) * self.place.weight[:, None, 3:]

    def _distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Return distances in units of the mean training distance, (n_members, n, m)."""
        # no matrix product: its rounding would move small distances
        between = (one * self.mm_per_unit).unsqueeze(2) - (other * self.mm_per_unit).unsqueeze(1)
        distance: Tensor = between.square().sum(3).sqrt() / self.mean_distance_mm
        return distance

    def _halves(self, own: Tensor, other: Tensor) -> Tensor:
        """Apply the head's first layer to both embeddings of pairs, (n_members, n, m, width)."""
        shape = (*own.shape[:3], -1)
        left = self.head.left(own.flatten(1, 2)).view(shape)
        return left + self.head.right(other.flatten(1, 2)).view(shape)


SPECS = (
    ModelSpec(
        name="smt_cls_pool",
        kind="iterative",
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        gene_tokens=True,
        build=ClsPool,
        summary="Pooled SMT, FiLM by coordinates and the pair's distance (evaluated per pair)",
        reference="GeneEx2Conn, NeurIPS 2025",
        defaults={
            "genes_per_token": 60,
            "model_dim": 128,
            "n_heads": 4,
            "n_layers": 4,
            "hidden_dims": (512, 256, 128),
            "alibi": True,
            "encoder_dropout": 0.1,
            "dropout": 0.1,
            "cls_dropout": 0.5,
        },
    ),
)

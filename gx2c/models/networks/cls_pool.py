"""SMT whose pooled tokens are modulated by a region's location and the distance to its partner."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gx2c.models.layers.heads import PairHead, off_diagonal
from gx2c.models.layers.population import PopulationDropout, PopulationLinear, PreparedLayer, zeros
from gx2c.models.layers.tokens import GeneChunks
from gx2c.models.networks.smt import POOLED_TRAINING, TokenNetwork
from gx2c.models.protocol import TrainingData
from gx2c.models.spec import COORDINATES, EXPRESSION, NETWORK, PAIR_DISTANCE, ModelSpec


class ClsPool(PreparedLayer, TokenNetwork):
    """A pooled SMT with FiLM by a token made from coordinates and the pair's distance.

    A region's embedding depends on its partner through their distance, so it belongs to the pair.
    Only FiLM is evaluated per pair, at the width of one layer of the pair head; tokens, blocks,
    attention weights and the pooled sum are computed once per region.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Number of contiguous genes per token.
    model_dim, transformer
        See `TokenNetwork`.
    cls_dropout
        Dropout on the token from coordinates.

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
        **transformer: Any,
    ) -> None:
        super().__init__(
            GeneChunks(n_genes, genes_per_token, model_dim=model_dim),
            model_dim=model_dim,
            **transformer,
        )
        self.place = PopulationLinear(4, model_dim)
        self.cls = PopulationLinear(model_dim, model_dim)
        self.gamma = PopulationLinear(model_dim, model_dim)
        self.beta = PopulationLinear(model_dim, model_dim)
        self.cls_dropout = PopulationDropout(cls_dropout)
        self.register_buffer("mm_per_unit", zeros(1, 3) + 1)
        self.register_buffer("mean_distance_mm", zeros(1, 1) + 1)

    def prepare(self, member: int, training: TrainingData, *, seed: int) -> None:
        """Store the units of coordinates and the mean distance of a member's training regions."""
        coords = training.regions.coords_mm
        self.mm_per_unit[member, 0] = torch.from_numpy(coords.std(axis=0))
        between = coords[:, None] - coords
        distances = np.sqrt(np.square(between).sum(axis=2))
        self.mean_distance_mm[member] = float(distances[distances > 0].mean())

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Pool the tokens of each region and append its coordinates."""
        return torch.cat([super().encode(expression, coords), coords], dim=2)

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        own = self._modulated(z, z)
        # z_j|i is z_i|j of the swapped pair, because the distance is the same
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
        assert self.place.bias is not None
        # the map of coordinates and distance, in two parts: the first once per region
        of_place = torch.baddbmm(self.place.bias, coords, self.place.weight[:, :3])
        of_distance = distance.unsqueeze(3) * self.place.weight[:, None, 3:]
        hidden = F.gelu(of_place.unsqueeze(2) + of_distance)
        cls = self.cls_dropout(self.cls(hidden.flatten(1, 2)))
        gamma, beta = (part(cls).view(hidden.shape) for part in (self.gamma, self.beta))
        x = pooled.unsqueeze(2)
        return x + gamma * x + beta

    def _distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Return distances in units of the mean training distance, (n_members, n, m)."""
        # no matrix product: its rounding would change small distances
        between = (one * self.mm_per_unit).unsqueeze(2) - (other * self.mm_per_unit).unsqueeze(1)
        return between.square().sum(3).sqrt() / self.mean_distance_mm

    def _halves(self, own: Tensor, other: Tensor) -> Tensor:
        """Apply the head's first layer to both embeddings of pairs, (n_members, n, m, width)."""
        shape = (*own.shape[:3], -1)
        left = self.head.left(own.flatten(1, 2)).view(shape)
        return left + self.head.right(other.flatten(1, 2)).view(shape)


SPECS = (
    ModelSpec(
        "smt_cls_pool",
        ClsPool,
        NETWORK,
        summary="Pooled SMT, FiLM by coordinates and the pair's distance (evaluated per pair)",
        reference="GeneEx2Conn, NeurIPS 2025",
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        fixed={"readout": "attention"},
        passes_to=(TokenNetwork,),
        best={"cls_dropout": 0.5},
        training=POOLED_TRAINING,
        published={"cls_dropout": (0.0, 0.2, 0.4, 0.5, 0.6, 0.8), "genes_per_token": (60,)},
        gene_tokens=True,
    ),
)

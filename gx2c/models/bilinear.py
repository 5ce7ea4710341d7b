"""The low-rank bilinear model y_ij = sum_k a(W x_i)_k a(V x_j)_k."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.population import PopulationLinear
from gx2c.models.protocol import ModelSpec, TrainingView

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
}
# Summed over each member's parameters; the published "l2" was an un-squared norm
PENALTIES: dict[str, Callable[[Tensor], Tensor]] = {"l1": torch.abs, "l2": torch.square}
# Of W, with which the sum over k of products begins at about a hundredth of a correlation: as
# `torch.nn.Linear` starts, it is as many times the connectome as the rank is large
INITIAL_SIZE = 0.2


class BilinearLowRank(nn.Module):
    """Low-rank bilinear form on expression, beside a fixed offset.

    It starts as the mean predictor: W is small, and the offset, no trained parameter, is the mean
    training edge less what the form gives at W = 0.

    Parameters
    ----------
    n_genes
        Genes per region.
    rank
        Columns of W.
    activation
        A key of `ACTIVATIONS`, applied to W x.
    shared_weights
        One W for both ends (symmetric) or one each.
    penalty_norm, penalty_weight
        A key of `PENALTIES` and the factor on its sum over all weights, added to the loss.
    n_members
        Networks held side by side.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `bilinear_lowrank`.
    """

    offset: Tensor

    def __init__(
        self,
        n_genes: int,
        *,
        rank: int = 10,
        activation: str = "none",
        shared_weights: bool = True,
        penalty_norm: str = "l2",
        penalty_weight: float = 1e-3,
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        for value, table in ((activation, ACTIVATIONS), (penalty_norm, PENALTIES)):
            if value not in table:
                raise UserError(f"no {value!r} in the bilinear model; choose from {sorted(table)}")
        self.activation = ACTIVATIONS[activation]
        self.penalty_norm, self.penalty_weight = PENALTIES[penalty_norm], penalty_weight
        self.sides = nn.ModuleList(
            PopulationLinear(
                n_genes, rank, n_members=n_members, bias=False, gain=INITIAL_SIZE / rank**0.5
            )
            for _ in range(1 if shared_weights else 2)
        )
        self.rank = rank
        self.register_buffer("offset", torch.zeros(n_members, 1, 1))

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Map each region to the factors of either end, (n_members, n_regions, 2 * rank)."""
        factors = [self.activation(side(expression)) for side in self.sides]
        return torch.cat([factors[0], factors[-1]], dim=2)

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        pairs = self.decode_between(z, z)
        n = pairs.shape[1]
        rest = pairs.reshape(-1, n * n)[:, 1:].reshape(-1, n - 1, n + 1)
        return rest[:, :, :-1].reshape(len(pairs), -1)

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        return self.offset + torch.bmm(
            left.chunk(2, dim=2)[0], right.chunk(2, dim=2)[1].transpose(1, 2)
        )

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Do nothing: all is learned by gradient descent."""

    def penalty(self) -> Tensor | None:
        """Return the weighted norm of all weights, summed over members."""
        if self.penalty_weight == 0:
            return None
        norms = [self.penalty_norm(weight).sum() for weight in self.sides.parameters()]
        return self.penalty_weight * torch.stack(norms).sum()

    def set_output_mean(self, means: Tensor) -> None:
        """Set the offset so that the form starts at the mean training edge of each member."""
        at_zero = self.activation(torch.zeros(()))
        self.offset.copy_((means - self.rank * at_zero**2).view(-1, 1, 1))


SPECS = (
    ModelSpec(
        name="bilinear_lowrank",
        kind="iterative",
        uses=("expression",),
        build=BilinearLowRank,
        summary="Low-rank bilinear form on expression",
        reference="GeneEx2Conn, NeurIPS 2025",
        defaults={
            "rank": 10,
            "activation": "none",
            "shared_weights": True,
            "penalty_norm": "l2",
            "penalty_weight": 1e-3,
        },
    ),
)

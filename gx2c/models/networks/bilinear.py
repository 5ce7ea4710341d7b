"""Bilinear forms trained by gradient descent: of low rank, or full on PLS scores."""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import require_choice
from gx2c.models.layers.bases import EncoderNetwork
from gx2c.models.layers.heads import BilinearHead, Head
from gx2c.models.layers.population import Layer, PopulationLinear, zeros
from gx2c.models.layers.reduced_genes import on_scores
from gx2c.models.spec import NETWORK, ModelSpec, plateau

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.positive,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
}
# Initial size of W, with which the sum of products starts near a hundredth; with the initialisation
# of `torch.nn.Linear` it grows with the rank to many times the connectome
INITIAL_SIZE = 0.2


class Factors(Layer):
    """Maps each region to its factors as either end, a(W x) and a(V x), side by side."""

    def __init__(self, n_features: int, rank: int, activation: str, n_sides: int) -> None:
        super().__init__()
        self.activation, gain = ACTIVATIONS[activation], INITIAL_SIZE / rank**0.5
        self.sides = nn.ModuleList(
            PopulationLinear(n_features, rank, bias=False, gain=gain) for _ in range(n_sides)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_features) to (n_members, n_regions, 2 * rank)."""
        factors = [self.activation(side(x)) for side in self.sides]
        return torch.cat([factors[0], factors[-1]], dim=2)


class FactorHead(Head):
    """The inner product of the first region's left and the second's right factors, and an offset.

    The offset is not trained: it is the mean training edge minus the product at W = 0, so the form
    starts near the mean predictor.

    Parameters
    ----------
    at_zero
        The product at W = 0.
    """

    offset: Tensor

    def __init__(self, at_zero: Tensor) -> None:
        super().__init__()
        self.at_zero = at_zero
        self.register_buffer("offset", zeros(1, 1))

    def left(self, z: Tensor) -> Tensor:
        """Take the left factors."""
        return z.chunk(2, dim=2)[0]

    def right(self, z: Tensor) -> Tensor:
        """Take the right factors."""
        return z.chunk(2, dim=2)[1]

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Multiply both ends and add the offset."""
        return self.offset + torch.bmm(left, right.transpose(1, 2))

    def set_output_mean(self, means: Tensor) -> None:
        """Set the offset."""
        self.offset.copy_((means - self.at_zero).view(-1, 1, 1))


def bilinear_lowrank(
    n_genes: int,
    *,
    rank: int = 10,
    activation: str = "none",
    shared_weights: bool = True,
    penalty_norm: str = "l2",
    penalty_weight: float = 1e-3,
) -> EncoderNetwork:
    """Make a low-rank bilinear form y_ij = sum_k a(W x_i)_k a(V x_j)_k, plus a fixed offset.

    Parameters
    ----------
    n_genes
        Genes per region.
    rank
        Columns of W.
    activation
        A key of `ACTIVATIONS`, applied to W x.
    shared_weights
        Whether both ends share one W (symmetric) or have one each.
    penalty_norm, penalty_weight
        A key of `PENALTIES` and the factor on its sum over all weights, added to the loss.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `bilinear_lowrank`.
    """
    require_choice("activation", activation, ACTIVATIONS)
    return EncoderNetwork(
        Factors(n_genes, rank, activation, n_sides=1 if shared_weights else 2),
        FactorHead(at_zero=rank * ACTIVATIONS[activation](torch.zeros(())) ** 2),
        penalty_norm=penalty_norm,
        penalty_weight=penalty_weight,
    )


def bilinear(n_genes: int) -> EncoderNetwork:
    """Make y_ij = x_i' O x_j + b, with every entry of O trained.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `pls_bilineardecoder`, trained by gradient descent.
    """
    return EncoderNetwork(nn.Identity(), BilinearHead(n_genes))


LOW_RANK = ModelSpec(
    "bilinear_lowrank",
    bilinear_lowrank,
    NETWORK,
    summary="Low-rank bilinear form on expression",
    reference="GeneEx2Conn, NeurIPS 2025",
    # its own penalty is the regulariser; weight decay would regularise twice
    training=plateau(1e-4, weight_decay=0.0, block_regions=16),
    published={
        "rank": (5, 8, 10, 15, 20, 25),
        "activation": ("none", "relu", "sigmoid", "softplus"),
        "shared_weights": (True, False),
        "l2_weight": (1e-3,),
        "learning_rate": (1e-4,),
    },
)
LOW_RANK_PCA = replace(
    LOW_RANK,
    name="bilinear_lowrank_pca",
    builder=on_scores,
    summary="Low-rank bilinear form on principal components",
    fixed={"network": bilinear_lowrank, "reduction": "pca"},
    passes_to=(bilinear_lowrank,),
    published={},
)
SPECS = (
    LOW_RANK,
    LOW_RANK_PCA,
    replace(
        LOW_RANK_PCA,
        name="bilinear_lowrank_pls",
        summary="Low-rank bilinear form on PLS scores",
        fixed={"network": bilinear_lowrank, "reduction": "pls"},
    ),
    replace(
        LOW_RANK,
        name="pls_bilinear",
        builder=on_scores,
        summary="Bilinear form on PLS scores, trained",
        fixed={"network": bilinear, "reduction": "pls"},
        best={"n_components": 25},
        training=plateau(3e-3, weight_decay=1e-2, block_regions=23),
        published={
            "n_components": (5, 10, 12, 25, 30, 50),
            "learning_rate": (3e-3,),
            "weight_decay": (1e-3, 1e-2, 0.1, 1.0),
        },
    ),
)

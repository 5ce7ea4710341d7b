"""Bilinear networks and an MLP on PCA or PLS scores, trained by gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor

from gx2c.models.bilinear import BilinearLowRank
from gx2c.models.bilinear_head import BilinearHead
from gx2c.models.pair_head import PairHead
from gx2c.models.protocol import ModelSpec, TrainingView
from gx2c.models.reduced_genes import ReducedGenes
from gx2c.models.reduced_network import REDUCED_SPEC, ReducedNetwork


class ReducedBilinearLowRank(BilinearLowRank):
    """The low-rank bilinear form on scores.

    Parameters
    ----------
    n_genes, reduction, n_components, whiten
        See `ReducedGenes`.
    n_members, form
        See `BilinearLowRank`.
    """

    def __init__(
        self,
        n_genes: int,
        *,
        reduction: str,
        n_components: int = 27,
        whiten: bool = False,
        n_members: int = 1,
        **form: Any,
    ) -> None:
        super().__init__(n_components, n_members=n_members, **form)
        self.reduced = ReducedGenes(
            n_genes, reduction, n_components, whiten=whiten, n_members=n_members
        )

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Reduce each region once and map it to the factors of either end."""
        return super().encode(self.reduced(expression), coords)

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn a member's reduction from its training regions."""
        self.reduced.prepare(member, training, seed=seed)


def reduced_bilinear(
    n_genes: int,
    *,
    reduction: str,
    n_components: int = 10,
    whiten: bool = False,
    n_members: int = 1,
    attention: str = "sdpa",
) -> ReducedNetwork:
    """Make y_ij = s_i' O s_j + b on scores, every entry of O trained.

    Parameters
    ----------
    n_genes, reduction, n_components, whiten
        See `ReducedGenes`.
    n_members
        Networks held side by side.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `pls_bilineardecoder`, trained by gradient descent.
    """
    reduced = ReducedGenes(n_genes, reduction, n_components, whiten=whiten, n_members=n_members)
    return ReducedNetwork(reduced, BilinearHead(n_components, n_members=n_members))


def reduced_mlp(
    n_genes: int,
    *,
    reduction: str,
    n_components: int = 27,
    whiten: bool = False,
    hidden_dims: Sequence[int] = (512, 256, 128),
    dropout: float = 0.1,
    n_members: int = 1,
    attention: str = "sdpa",
) -> ReducedNetwork:
    """Make an MLP on the scores of both regions.

    Parameters
    ----------
    n_genes, reduction, n_components, whiten
        See `ReducedGenes`.
    hidden_dims, dropout
        Of the pair head.
    n_members
        Networks held side by side.
    """
    reduced = ReducedGenes(n_genes, reduction, n_components, whiten=whiten, n_members=n_members)
    head = PairHead(n_components, hidden_dims, dropout=dropout, n_members=n_members)
    return ReducedNetwork(reduced, head)


_LOW_RANK = {
    "n_components": 27,
    "whiten": False,
    "rank": 10,
    "activation": "none",
    "shared_weights": True,
    "penalty_norm": "l2",
    "penalty_weight": 1e-3,
}

SPECS = (
    ModelSpec(
        name="mlp_pca",
        build=partial(reduced_mlp, reduction="pca"),
        summary="MLP on principal components of both regions' expression",
        defaults={
            "n_components": 27,
            "whiten": False,
            "hidden_dims": (512, 256, 128),
            "dropout": 0.1,
        },
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="bilinear_lowrank_pca",
        build=partial(ReducedBilinearLowRank, reduction="pca"),
        summary="Low-rank bilinear form on principal components",
        defaults=_LOW_RANK,
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="bilinear_lowrank_pls",
        build=partial(ReducedBilinearLowRank, reduction="pls"),
        summary="Low-rank bilinear form on PLS scores",
        defaults=_LOW_RANK,
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="pls_bilinear",
        build=partial(reduced_bilinear, reduction="pls"),
        summary="Bilinear form on PLS scores, trained",
        defaults={"n_components": 25, "whiten": False},
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="pls_mlp",
        build=partial(reduced_mlp, reduction="pls"),
        summary="MLP on the PLS scores of both regions",
        defaults={
            "n_components": 10,
            "whiten": False,
            "hidden_dims": (128, 64),
            "dropout": 0.2,
        },
        **REDUCED_SPEC,
    ),
)

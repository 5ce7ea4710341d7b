"""Bilinear networks and an MLP on PCA or PLS scores, trained by gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from gx2c.models.bilinear import BilinearLowRank
from gx2c.models.bilinear_head import BilinearHead
from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.protocol import EXPRESSION, ModelSpec, TrainingView
from gx2c.models.reduced_genes import ReducedGenes
from gx2c.models.reduced_smt import ReducedMLP


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


class ReducedBilinear(HeadedNetwork):
    """y_ij = s_i' O s_j + b on scores, every entry of O trained.

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

    def __init__(
        self,
        n_genes: int,
        *,
        reduction: str,
        n_components: int = 10,
        whiten: bool = False,
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        self.reduced = ReducedGenes(
            n_genes, reduction, n_components, whiten=whiten, n_members=n_members
        )
        self.head = BilinearHead(n_components, n_members=n_members)

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Reduce each region once, (n_members, n_regions, n_components)."""
        z: Tensor = self.reduced(expression)
        return z

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn a member's reduction from its training regions."""
        self.reduced.prepare(member, training, seed=seed)


_SHARED: Mapping[str, Any] = {
    "kind": "iterative",
    "uses": (EXPRESSION,),
    "reference": "GeneEx2Conn, NeurIPS 2025",
}
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
        name="bilinear_lowrank_pca",
        build=partial(ReducedBilinearLowRank, reduction="pca"),
        summary="Low-rank bilinear form on principal components",
        defaults=_LOW_RANK,
        **_SHARED,
    ),
    ModelSpec(
        name="bilinear_lowrank_pls",
        build=partial(ReducedBilinearLowRank, reduction="pls"),
        summary="Low-rank bilinear form on PLS scores",
        defaults=_LOW_RANK,
        **_SHARED,
    ),
    ModelSpec(
        name="pls_bilinear",
        build=partial(ReducedBilinear, reduction="pls"),
        summary="Bilinear form on PLS scores, trained",
        defaults={"n_components": 25, "whiten": False},
        **_SHARED,
    ),
    ModelSpec(
        name="pls_mlp",
        build=partial(ReducedMLP, reduction="pls"),
        summary="MLP on the PLS scores of both regions",
        defaults={
            "n_components": 10,
            "whiten": False,
            "hidden_dims": (128, 64),
            "dropout": 0.2,
        },
        **_SHARED,
    ),
)

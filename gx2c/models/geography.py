"""Geography alone, the baseline of every result; and geography with genes beside it.

Both are `KernelRidge` on mirrored coordinates after the geography mean. They have their own names
because a result is compared with the first, and only the second says what genes add to it.
"""

from __future__ import annotations

from gx2c.models.kernel_ridge import KernelRidge
from gx2c.models.protocol import COORDINATES, EXPRESSION, PAIR_DISTANCE, ModelSpec


def geography(
    *,
    coordinate_kernel: str = "rbf",
    coordinate_power: int = 4,
    coordinate_scale: float = 0.1,
    ridge: float = 0.3,
    mean_ridge: float = 0.01,
    diagonal: str = "zero",
) -> KernelRidge:
    """Build universal kriging on geography: no gene is used; see `KernelRidge`."""
    return KernelRidge(
        expression_kernel="none",
        coordinate_kernel=coordinate_kernel,
        coordinate_power=coordinate_power,
        coordinate_scale=coordinate_scale,
        ridge=ridge,
        mean="geography",
        mean_ridge=mean_ridge,
        diagonal=diagonal,
    )


def geography_genes(
    *,
    expression_kernel: str = "cosine",
    expression_power: int = 4,
    expression_scale: float = 1.0,
    expression_scaling: str = "centre",
    coordinate_kernel: str = "rbf",
    coordinate_power: int = 4,
    coordinate_scale: float = 0.1,
    combine: str = "average",
    gene_weight: float = 0.5,
    ridge: float = 0.3,
    gene_ridge: float = 1.0,
    mean_ridge: float = 0.01,
    diagonal: str = "zero",
) -> KernelRidge:
    """Build `geography` with a gene kernel added to its residual; see `KernelRidge`."""
    return KernelRidge(
        expression_kernel=expression_kernel,
        expression_power=expression_power,
        expression_scale=expression_scale,
        expression_scaling=expression_scaling,
        coordinate_kernel=coordinate_kernel,
        coordinate_power=coordinate_power,
        coordinate_scale=coordinate_scale,
        combine=combine,
        gene_weight=gene_weight,
        ridge=ridge,
        gene_ridge=gene_ridge,
        mean="geography",
        mean_ridge=mean_ridge,
        diagonal=diagonal,
    )


_REFERENCE = "Cressie (1993), Statistics for Spatial Data, section 3.4"
_PLACES = {"coordinate_kernel": "rbf", "coordinate_scale": 0.1, "ridge": 0.3}
_COMMON = {"mean_ridge": 0.01, "diagonal": "zero"}

SPECS = (
    ModelSpec(
        name="geography",
        kind="closed_form",
        uses=(COORDINATES, PAIR_DISTANCE),
        build=geography,
        summary="Universal kriging on mirrored coordinates and distances, no gene",
        reference=_REFERENCE,
        defaults={**_PLACES, **_COMMON},
    ),
    ModelSpec(
        name="geography+genes",
        kind="closed_form",
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        build=geography_genes,
        summary="Geography, with a gene kernel on its residual",
        reference=_REFERENCE,
        defaults={
            **_PLACES,
            "expression_kernel": "cosine",
            "expression_power": 4,
            "combine": "average",
            "gene_weight": 0.5,
            "gene_ridge": 1.0,
            **_COMMON,
        },
    ),
)

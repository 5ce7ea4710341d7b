"""Geography, the spatial baseline of every result, alone and with a gene kernel added to it.

Both are `KernelRidge` on mirrored coordinates after the geography mean.
"""

from typing import Any

from gx2c.models.closed_form.kernel_ridge import KernelRidge
from gx2c.models.spec import CLOSED_FORM, COORDINATES, EXPRESSION, PAIR_DISTANCE, ModelSpec


def geography(
    *,
    coordinate_kernel: str = "rbf",
    coordinate_power: int = 4,
    coordinate_scale: float = 0.1,
    ridge: float = 0.3,
    mean_ridge: float = 0.01,
    diagonal: str = "zero",
) -> KernelRidge:
    """Build universal kriging on location, without genes; see `KernelRidge`."""
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
    coordinate_kernel: str = "rbf",
    ridge: float = 0.3,
    mean: str = "geography",
    diagonal: str = "zero",
    **kernels: Any,
) -> KernelRidge:
    """Build `geography` with a gene kernel added to its residual; see `KernelRidge`."""
    return KernelRidge(
        coordinate_kernel=coordinate_kernel, ridge=ridge, mean=mean, diagonal=diagonal, **kernels
    )


_REFERENCE = "Cressie (1993), Statistics for Spatial Data, section 3.4"

SPECS = (
    ModelSpec(
        "geography",
        geography,
        CLOSED_FORM,
        summary="Universal kriging on mirrored coordinates and distances, no genes",
        reference=_REFERENCE,
        uses=(COORDINATES, PAIR_DISTANCE),
        contains_geography=True,
        kernel_nulls=True,
    ),
    ModelSpec(
        "geography+genes",
        geography_genes,
        CLOSED_FORM,
        summary="Geography, with a gene kernel on its residual",
        reference=_REFERENCE,
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        fixed={"mean": "geography", "mirrored": True},
        passes_to=(KernelRidge,),
        contains_geography=True,
        kernel_nulls=True,
    ),
)

"""Regions whose connectome is not known: everything that a fitted model is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.errors import UserError


@dataclass(frozen=True, repr=False)
class Unmeasured:
    """Some regions; every array is in the order of `labels`.

    Attributes
    ----------
    name
        Name of the data, for messages.
    labels, genes
        Region labels and gene symbols.
    expression
        (n_regions, n_genes), all finite.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right, 2 both.
    structural_connectome
        (n_regions, n_regions) or None.
    """

    name: str
    labels: tuple[str, ...]
    genes: tuple[str, ...]
    expression: FloatArray
    coords_mm: FloatArray
    hemisphere: IntArray
    structural_connectome: FloatArray | None = None

    def __repr__(self) -> str:
        return f"Unmeasured({self.name!r}: {self.n_regions} regions, {len(self.genes):,} genes)"

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.labels)

    def regions(self, indices: IntArray) -> Regions:
        """Show some regions to a model; see `Brain.regions`."""
        return Regions(self.expression[indices], self.coords_mm[indices], self.hemisphere[indices])


def region_indices(
    brain: Brain | Unmeasured, regions: Sequence[int] | IntArray | None, *, least: int = 1
) -> IntArray:
    """Check which regions of a brain are meant; all if None.

    Raises
    ------
    UserError
        If it is not a brain, or the regions are not at least `least` different indices into it.
    """
    if not isinstance(brain, Brain | Unmeasured):
        raise UserError(
            f"a Brain is needed, not a {type(brain).__name__}; gx2c.load_dataset gives one"
        )
    if regions is None:
        return np.arange(brain.n_regions)
    chosen = np.asarray(regions)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        raise UserError(
            f"regions have shape {chosen.shape} and type {chosen.dtype}; give a list of indices"
        )
    outside = chosen[(chosen < 0) | (chosen >= brain.n_regions)]
    if len(outside):
        raise UserError(
            f"{brain.name} has no region {outside[0]}; indices go from 0 to {brain.n_regions - 1}"
        )
    if len(chosen) < least or len(np.unique(chosen)) < len(chosen):
        raise UserError(
            f"regions are {len(chosen)} indices, {len(np.unique(chosen))} of them different; "
            f"give at least {least}, each once"
        )
    return chosen.astype(np.int64)

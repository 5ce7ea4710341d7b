"""One parcellated brain, checked at birth; after that nobody checks again."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gx2c.data.checks import brain_problems
from gx2c.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Parts of a brain of which nothing can be wrong, or that are checked where they are read
UNCHECKED = ("name", "checksum", "gene_vectors")


@dataclass(frozen=True)
class Regions:
    """What a model may see of some regions: everything but the connectome.

    Attributes
    ----------
    expression
        (n_regions, n_genes), normalised expression, or features in its place.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.
    """

    expression: FloatArray
    coords_mm: FloatArray
    hemisphere: IntArray

    def __len__(self) -> int:
        return len(self.coords_mm)

    def with_columns(self, columns: FloatArray) -> Regions:
        """Put other features in the place of expression, (n_regions, n_columns)."""
        return Regions(columns, self.coords_mm, self.hemisphere)


@dataclass(frozen=True)
class Brain:
    """One parcellated brain; every array is in the order of `labels`.

    Attributes
    ----------
    name
        The dataset's name.
    labels
        n_regions unique region labels.
    genes
        n_genes unique gene symbols.
    expression
        (n_regions, n_genes), normalised expression, all finite.
    connectome
        (n_regions, n_regions), Pearson r, symmetric; the diagonal is never used.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.
    network
        n_regions network names.
    holdout_connectome
        As `connectome`, of another group of people, or None.
    structural_connectome
        (n_regions, n_regions), structural connectivity in [0, 1], symmetric, or None; the
        diagonal is never used.
    individual_connectomes
        (n_subjects, n_edges), Pearson r of single people, edges in the order of
        `np.triu_indices(n_regions, 1)`, NaN where a person lacks one; or None.
    gene_vectors
        (n_genes, n_dims), numbers that describe each gene, from a file beside the dataset, or
        None.
    sphere_coords
        (n_regions, 3), region centroids on their hemisphere's inflated sphere, mm, or None;
        rows of regions outside the cortex are NaN.
    tss
        (n_genes,), rank-able position of each gene's transcription start along the genome
        (chromosome-major), or None; NaN where unknown.
    excluded
        Labels of regions that the files hold but that have no expression.
    checksum
        SHA-256 over the files that were read; empty for a brain made in memory.
    lobe
        n_regions lobe names, or None; only the split by lobes needs them.

    Raises
    ------
    DataError
        If the arrays cannot be one brain; every problem is listed.
    """

    name: str
    labels: tuple[str, ...]
    genes: tuple[str, ...]
    expression: FloatArray
    connectome: FloatArray
    coords_mm: FloatArray
    hemisphere: IntArray
    network: tuple[str, ...]
    holdout_connectome: FloatArray | None = None
    sphere_coords: FloatArray | None = None
    tss: FloatArray | None = None
    excluded: tuple[str, ...] = ()
    checksum: str = ""
    lobe: tuple[str, ...] | None = None
    structural_connectome: FloatArray | None = None
    gene_vectors: FloatArray | None = None
    individual_connectomes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        problems = list(
            brain_problems(**{key: parts[key] for key in parts if key not in UNCHECKED})
        )
        if problems:
            raise DataError(self.name, problems)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                # frozen stops rebinding only: a view keeps the caller's own array writable
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, field.name, view)

    @property
    def n_regions(self) -> int:
        """Number of usable regions."""
        return len(self.labels)

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.genes)

    def regions(self, indices: IntArray) -> Regions:
        """Show some regions to a model, without their connectome."""
        return Regions(self.expression[indices], self.coords_mm[indices], self.hemisphere[indices])

    def connectome_block(self, indices: IntArray) -> FloatArray:
        """Return the connectome among some regions, (len(indices), len(indices))."""
        return self.connectome[np.ix_(indices, indices)]

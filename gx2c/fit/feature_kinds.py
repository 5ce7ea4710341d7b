"""Kinds of features, each learned on training regions and shown for any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.unmeasured import Unmeasured
from gx2c.models.reduction import Reduction, fit_pca

# Smallest usable eigenvalue, relative to the largest: new regions are divided by it
EIGENVALUE_TOLERANCE = 1e-8


class ShowFeature:
    """Shows the columns of any regions, (n_regions, n_columns); learned on training regions."""

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show the columns of some regions, given by index."""
        raise NotImplementedError

    def read_genes(self) -> IntArray:
        """Return the indices of the genes that are read, in order."""
        return np.arange(0)

    def renumbered(self, place: Mapping[int, int]) -> Self:
        """Read the same genes in a brain where gene i has the index place[i]."""
        return self


@dataclass(frozen=True)
class ShowGenes(ShowFeature):
    """Expression of some genes, as it is."""

    genes: IntArray

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show expression, (n_regions, n_genes)."""
        return brain.expression[np.ix_(regions, self.genes)]

    def read_genes(self) -> IntArray:
        """Return the indices of the genes."""
        return self.genes

    def renumbered(self, place: Mapping[int, int]) -> Self:
        """Read the same genes elsewhere; see `ShowFeature`."""
        genes = [place[gene] for gene in self.genes.tolist()]
        return replace(self, genes=np.array(genes, dtype=np.int64))


@dataclass(frozen=True)
class ShowComponents(ShowGenes):
    """Principal components of expression, padded to k columns."""

    reduction: Reduction
    k: int

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show scores, (n_regions, k)."""
        return _padded(self.reduction.transform(super().__call__(brain, regions)), self.k)


def _expression_pca(brain: Brain, train: IntArray, genes: IntArray, k: int) -> ShowFeature:
    reduction = fit_pca(brain.expression[np.ix_(train, genes)], n_components=k)
    return ShowComponents(genes, reduction, k)


@dataclass(frozen=True)
class ShowCoordinates(ShowFeature):
    """Coordinates in mm."""

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show coordinates, (n_regions, 3)."""
        return brain.coords_mm[regions]


@dataclass(frozen=True)
class ShowProfiles(ShowFeature):
    """Structural connectivity with the training regions, 0 with all others."""

    train: IntArray

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show a column for every region of the brain, so that all folds have the same columns."""
        profiles = np.zeros((len(regions), brain.n_regions))
        profiles[:, self.train] = _to_training(brain, regions, self.train)
        return profiles


def _structural_eigenvectors(
    brain: Brain, train: IntArray, genes: IntArray, k: int, *, laplacian: bool
) -> ShowFeature:
    """Extend eigenvectors of the training regions' connectome to any region (Nyström).

    From the normalised Laplacian, take those with the smallest eigenvalues except the first, which
    is constant up to degrees; from the connectome itself, those with the largest absolute ones.

    References
    ----------
    Bengio et al. (2004), Adv. Neural Inf. Process. Syst. 16, 177.
    """
    block = _to_training(brain, train, train)
    weight = _inverse_root(block.sum(axis=1)) if laplacian else np.ones(len(train))
    values, vectors = np.linalg.eigh(weight[:, None] * block * weight)
    order = np.argsort(-values if laplacian else -np.abs(values), kind="stable")[laplacian:]
    usable = np.abs(values[order]) > EIGENVALUE_TOLERANCE * np.abs(values).max()
    kept = order[usable][:k]
    vectors = vectors[:, kept]
    # the sign of an eigenvector is arbitrary and differs between machines
    largest = np.abs(vectors).argmax(axis=0)
    extension = vectors * np.sign(vectors[largest, np.arange(len(kept))]) / values[kept]

    return ShowEigenvectors(train, weight, extension, k, laplacian)


@dataclass(frozen=True)
class ShowEigenvectors(ShowFeature):
    """Eigenvectors of structural connectivity, extended to any region and padded to k columns."""

    train: IntArray
    weight: FloatArray
    extension: FloatArray
    k: int
    laplacian: bool

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show scores, (n_regions, k)."""
        rows = _to_training(brain, regions, self.train)
        if self.laplacian:
            rows = _inverse_root(rows.sum(axis=1))[:, None] * rows
        return _padded(rows * self.weight @ self.extension, self.k)


@dataclass(frozen=True)
class ShowAll(ShowFeature):
    """Several features side by side."""

    parts: Sequence[ShowFeature]

    def __call__(self, brain: Brain | Unmeasured, regions: IntArray) -> FloatArray:
        """Show the columns of all parts."""
        return np.hstack([show(brain, regions) for show in self.parts])

    def read_genes(self) -> IntArray:
        """Return the indices of the genes that any part reads."""
        return np.concatenate([part.read_genes() for part in self.parts])

    def renumbered(self, place: Mapping[int, int]) -> Self:
        """Read the same genes elsewhere; see `ShowFeature`."""
        return replace(self, parts=[part.renumbered(place) for part in self.parts])


def _to_training(brain: Brain | Unmeasured, regions: IntArray, train: IntArray) -> FloatArray:
    """Return structural connectivity with training regions, none with oneself."""
    assert brain.structural_connectome is not None, "checked before the first trial"
    rows = brain.structural_connectome[np.ix_(regions, train)].copy()
    rows[np.equal.outer(regions, train)] = 0.0
    return rows


def _inverse_root(degrees: FloatArray) -> FloatArray:
    """Return 1 / sqrt(degree), 0 for a region that is connected with none."""
    root = np.sqrt(degrees)
    return np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)


def _padded(columns: FloatArray, k: int) -> FloatArray:
    """Append columns of zeros up to k: networks of different folds must have one shape."""
    return np.pad(columns, ((0, 0), (0, k - columns.shape[1])))

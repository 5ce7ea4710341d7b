"""`Sites`, from which a splitting rule chooses, and what comes of it: a `Fold` with inner folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.sides import nearest_homologues, reflected

# Fewer held-out regions have fewer than 3 edges, too few for a meaningful correlation
MIN_TEST_REGIONS = 3
MIN_TRAIN_REGIONS = 4


@dataclass(frozen=True)
class Sites:
    """Locations of some regions, and other properties that the rule needs."""

    coords_mm: FloatArray  # (n_regions, 3), region centroids in MNI space, mm
    units: IntArray  # (n_regions,), unit of each region; homologues share one
    # n_regions names of networks or lobes, for the rules that hold out whole ones; else
    # None
    groups: tuple[str, ...] | None = None
    # (n_regions, n_regions), for the rules that find communities in it; else None
    connectome: FloatArray | None = None
    # Resolution of the communities: larger values give more and smaller ones
    resolution: float = 1.0

    def __len__(self) -> int:
        return len(self.coords_mm)

    def take(self, indices: IntArray) -> Self:
        """Keep some regions; homologues are not matched again."""
        groups, connectome = self.groups, self.connectome
        return replace(
            self,
            coords_mm=self.coords_mm[indices],
            units=self.units[indices],
            groups=None if groups is None else tuple(groups[i] for i in indices.tolist()),
            connectome=None if connectome is None else connectome[np.ix_(indices, indices)],
        )


def match_homologues(coords_mm: FloatArray, hemisphere: IntArray) -> IntArray:
    """Return the unit of each region: a pair of homologues, or a single region.

    Pairs are those of `nearest_homologues`; regions without a pair are single units.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.

    Returns
    -------
    IntArray
        (n_regions,) unit numbers: first the pairs in the order of their left regions, then the
        unpaired regions in their own order.
    """
    pairs = nearest_homologues(coords_mm, hemisphere)
    units = np.full(len(coords_mm), -1, dtype=np.int64)
    # the numbers order the units from which a splitter draws: another order would change folds
    units[pairs] = np.arange(len(pairs))[:, None]
    alone = np.flatnonzero(units < 0)
    units[alone] = len(pairs) + np.arange(len(alone))
    return units


def outside_buffer(
    train_regions: IntArray, test_regions: IntArray, coords_mm: FloatArray, *, buffer_mm: float
) -> IntArray:
    """Drop the training regions close to a test region or to its mirror image.

    Connectivity is smooth in space and similar in homologues, so a neighbouring training region
    predicts a test region without any biology.

    Parameters
    ----------
    train_regions, test_regions
        Region indices.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    buffer_mm
        Regions closer than this are dropped; 0 drops none.
    """
    if not buffer_mm:
        return train_regions
    held_out = coords_mm[test_regions]
    sources = np.concatenate([held_out, reflected(held_out)])
    nearest = scipy.spatial.distance.cdist(coords_mm[train_regions], sources).min(axis=1)
    return train_regions[nearest >= buffer_mm]


@dataclass(frozen=True, repr=False)
class Fold:
    """Training regions and held-out regions, as ascending indices into the brain.

    Attributes
    ----------
    train_regions
        (n_train_regions,) region indices.
    test_regions
        (n_test_regions,) region indices; in an inner fold these are the validation regions.
    inner
        Inner folds cut from `train_regions` by the same rule; empty in an inner fold.
    name
        Name of the held-out networks or lobes, joined by " + "; empty for other rules.
    blocks
        (n_test_regions,) block of each test region if only edges between two blocks are scored;
        None if all edges are.
    seed, number
        Seed by which an outer fold was cut, and its number among the folds of that seed.
    """

    train_regions: IntArray
    test_regions: IntArray
    inner: tuple[Fold, ...] = ()
    name: str = ""
    blocks: IntArray | None = None
    seed: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        shared = np.intersect1d(self.train_regions, self.test_regions)
        assert not len(shared), f"regions {shared} both train and test"
        allowed = set(self.train_regions.tolist())
        for inner in self.inner:
            used = set(inner.train_regions.tolist()) | set(inner.test_regions.tolist())
            assert used <= allowed, (
                "an inner fold uses a region from outside the outer training set"
            )
        assert self.blocks is None or len(self.blocks) == len(self.test_regions), (
            f"{len(self.test_regions)} test regions need a block each"
        )

    def __repr__(self) -> str:
        sizes = f"{len(self.train_regions)} training regions, {len(self.test_regions)} test regions"
        inner = f", {len(self.inner)} inner folds" if self.inner else ""
        return f"Fold({f'{self.name}: ' if self.name else ''}{sizes}{inner})"

    def scored_edges(self) -> tuple[IntArray, IntArray]:
        """Return both ends of every scored edge, as positions in `test_regions`.

        Returns
        -------
        first, second
            (n_edges,) each, first < second: every unordered pair of test regions, or with
            `blocks` those whose ends lie in different blocks.
        """
        first, second = np.triu_indices(len(self.test_regions), k=1)
        if self.blocks is not None:
            between = self.blocks[first] != self.blocks[second]
            first, second = first[between], second[between]
        return first.astype(np.int64), second.astype(np.int64)

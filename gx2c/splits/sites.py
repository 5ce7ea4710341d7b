"""Inputs of a splitting rule: locations of regions, and units of regions that stay together."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy

from gx2c.data.brain import MIRROR, FloatArray, IntArray
from gx2c.data.sides import nearest_homologues


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
    sources = np.concatenate([held_out, held_out * MIRROR])
    nearest = scipy.spatial.distance.cdist(coords_mm[train_regions], sources).min(axis=1)
    kept: IntArray = train_regions[nearest >= buffer_mm]
    return kept

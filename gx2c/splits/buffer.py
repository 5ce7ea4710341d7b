"""A belt without training regions round the held-out regions and round their mirror images."""

from __future__ import annotations

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.splits.homologues import MIRROR


def outside_buffer(
    train_regions: IntArray, test_regions: IntArray, coords_mm: FloatArray, *, buffer_mm: float
) -> IntArray:
    """Drop the training regions that lie near a test region or near its mirror image.

    Connectivity is smooth in space, and alike in homologues: a neighbour in training gives a
    test region away without any biology.

    Parameters
    ----------
    train_regions, test_regions
        Region indices.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    buffer_mm
        Regions nearer than this are dropped; with 0 none is.

    Returns
    -------
    IntArray
        The training regions that are left, in their order.
    """
    if not buffer_mm:
        return train_regions
    held_out = coords_mm[test_regions]
    sources = np.concatenate([held_out, held_out * MIRROR])
    nearest = scipy.spatial.distance.cdist(coords_mm[train_regions], sources).min(axis=1)
    kept: IntArray = train_regions[nearest >= buffer_mm]
    return kept

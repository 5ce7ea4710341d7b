"""Homologues: regions matched one to one across the midline."""

from __future__ import annotations

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray

MIRROR = np.array([-1.0, 1.0, 1.0])


def match_homologues(coords_mm: FloatArray, hemisphere: IntArray) -> IntArray:
    """Give each region the number of its unit: a pair of homologues, or one region alone.

    The pairing minimises the summed distance between left centroids and right centroids
    mirrored in x (Hungarian algorithm). Where a hemisphere has more regions than the other,
    those left over are each a unit of their own.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.

    Returns
    -------
    IntArray
        (n_regions,) unit numbers: first the pairs, in the order of their left regions, then
        the regions without a partner, in their own order.
    """
    left, right = np.flatnonzero(hemisphere == 0), np.flatnonzero(hemisphere == 1)
    matched_left, matched_right = scipy.optimize.linear_sum_assignment(
        scipy.spatial.distance.cdist(coords_mm[left], coords_mm[right] * MIRROR)
    )
    n_pairs = len(matched_left)
    units = np.full(len(coords_mm), -1, dtype=np.int64)
    # the numbers order the units from which a splitter draws: another order, other folds
    units[left[matched_left]] = units[right[matched_right]] = np.arange(n_pairs)
    alone = np.flatnonzero(units < 0)
    units[alone] = n_pairs + np.arange(len(alone))
    return units

"""The spatial rule: compact patches of regions are held out together."""

from __future__ import annotations

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.splits.sites import Sites


def nearest_patches(points_mm: FloatArray, *, n_folds: int, seed: int) -> list[IntArray]:
    """Cut points into patches: a random seed point and its nearest neighbours, again and again.

    Each patch takes `n_points // n_folds` of the points that are left (the seed point among
    them); the last takes the rest. Later patches are therefore less compact.

    Parameters
    ----------
    points_mm
        (n_points, 3), mm.
    n_folds
        Number of patches.
    seed
        Seed of NumPy's legacy generator: the same seed gives the published folds.

    Returns
    -------
    list of IntArray
        For each patch, its points' indices, ascending.
    """
    # the published folds were drawn with this generator; another one would not repeat them
    rng = np.random.RandomState(seed)  # noqa: NPY002
    size = len(points_mm) // n_folds
    remaining = np.arange(len(points_mm), dtype=np.int64)
    patches = []
    for _ in range(n_folds - 1):
        seed_point = rng.choice(remaining)
        distance = scipy.spatial.distance.cdist(points_mm[[seed_point]], points_mm[remaining])[0]
        patch = np.sort(remaining[np.argsort(distance, kind="stable")[:size]])
        patches.append(patch)
        remaining = np.setdiff1d(remaining, patch)
    return [*patches, remaining]


def spatial_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out patches of neighbouring regions, as published.

    A patch rarely crosses the midline, so that a held-out region's homologue is usually in
    training; `bilateral_folds` closes that door.
    """
    return nearest_patches(sites.coords_mm, n_folds=n_folds, seed=seed)

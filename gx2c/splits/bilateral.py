"""The bilateral rules: homologous pairs are held out whole, in patches or wherever they lie."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.splits.random import shuffled_parts
from gx2c.splits.sites import Sites
from gx2c.splits.spatial import nearest_patches


def unit_centroids(sites: Sites) -> FloatArray:
    """Return where each unit lies, both hemispheres folded onto one: (n_units, 3), mm.

    The mean of (|x|, y, z) over a unit's regions, in the order of the unit numbers.
    """
    mirrored = sites.coords_mm.copy()
    mirrored[:, 0] = np.abs(mirrored[:, 0])
    units = np.unique(sites.units)
    return np.stack([mirrored[sites.units == unit].mean(axis=0) for unit in units])


def bilateral_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out patches of neighbouring units: the spatial rule on homologous pairs.

    Homologues have much alike connectivity; with one in training, its partner is predicted
    without any biology. Here both are held out together.
    """
    units = np.unique(sites.units)
    patches = nearest_patches(unit_centroids(sites), n_folds=n_folds, seed=seed)
    return [np.flatnonzero(np.isin(sites.units, units[patch])) for patch in patches]


def bilateral_random_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out homologous pairs at random: the random rule on units.

    Between `random` and `bilateral`: neighbours of a held-out pair stay in training, so that
    the gap to `bilateral` is what neighbours give away, and to `random` what homologues do.
    """
    units = np.unique(sites.units)
    parts = shuffled_parts(len(units), n_folds, seed)
    return [np.flatnonzero(np.isin(sites.units, units[held_out])) for held_out in parts]

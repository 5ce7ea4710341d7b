"""Rules that hold out single regions or homologous pairs, at random or in compact patches."""

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.sides import mirrored
from gx2c.splits.fold import Sites


def random_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Cut regions at random into folds of equal size, as published (scikit-learn's KFold).

    A held-out region usually has its neighbours and its homologue in training, so location alone
    predicts well: scores under this rule measure interpolation.
    """
    return shuffled_parts(len(sites), n_folds, seed)


def spatial_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out patches of neighbouring regions, as published.

    A patch rarely crosses the midline, so the homologue of a held-out region is usually a training
    region; `bilateral_folds` prevents that.
    """
    return nearest_patches(sites.coords_mm, n_folds=n_folds, seed=seed)


def bilateral_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out patches of neighbouring units: the spatial rule on homologous pairs.

    Homologues have very similar connectivity, so a training region predicts its homologue without
    any biology. Here both are held out together.
    """
    return _whole_units(sites, nearest_patches(unit_centroids(sites), n_folds=n_folds, seed=seed))


def bilateral_random_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out homologous pairs at random: the random rule on units.

    Neighbours of a held-out pair stay in training, so the difference to `bilateral` shows the
    effect of neighbours in training, and the difference to `random` that of homologues.
    """
    return _whole_units(sites, shuffled_parts(len(np.unique(sites.units)), n_folds, seed))


def shuffled_parts(n: int, n_folds: int, seed: int) -> list[IntArray]:
    """Cut 0 ... n - 1 at random into folds, as scikit-learn's KFold; each is sorted."""
    # scikit-learn takes a second to import, which only these splits need
    from sklearn.model_selection import KFold

    folds = KFold(n_folds, shuffle=True, random_state=seed).split(np.arange(n))
    return [held_out.astype(np.int64) for _, held_out in folds]


def nearest_patches(points_mm: FloatArray, *, n_folds: int, seed: int) -> list[IntArray]:
    """Cut points into patches, each a random seed point and its nearest remaining neighbours.

    Each patch takes `n_points // n_folds` of the remaining points (including the seed point); the
    last takes the rest. Later patches are therefore less compact.

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
        Indices of the points of each patch, ascending.
    """
    # the published folds come from this generator; another would not reproduce them
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


def unit_centroids(sites: Sites) -> FloatArray:
    """Return the mirrored location of each unit, (n_units, 3), mm.

    It is the mean of (|x|, y, z) over the unit's regions, in the order of the unit numbers.
    """
    folded, units = mirrored(sites.coords_mm), np.unique(sites.units)
    return np.stack([folded[sites.units == unit].mean(axis=0) for unit in units])


def _whole_units(sites: Sites, parts: list[IntArray]) -> list[IntArray]:
    units = np.unique(sites.units)
    return [np.flatnonzero(np.isin(sites.units, units[part])) for part in parts]

"""Places for regions of which only the distances to each other are known, along the cortex say."""

from collections.abc import Sequence

import numpy as np
import scipy

from gx2c.data.checks import shown
from gx2c.data.individuals import FloatArray, IntArray
from gx2c.data.sides import same_named_pairs
from gx2c.errors import DataError

# Distance of homologues where no distance across the midline is known: that of most parcellations
GAP_MM = 60.0
# Fewer named homologues do not show how the hemispheres lie to each other
MIN_PAIRS = 4
MAX_STEPS = 300
# Steps end when one lowers the squared error by less than this share of the squared distances
ENOUGH = 1e-7
# Axes along which places differ by less than a micrometre are rounding
MIN_SPREAD_MM = 1e-3


def places_of(
    distances_mm: FloatArray, hemisphere: IntArray, labels: tuple[str, ...]
) -> FloatArray:
    """Find places whose Euclidean distances are the given ones, as nearly as any can be.

    They stand in for coordinates: the first axis runs from left to right, so that its sign is the
    side and mirroring changes it alone; the others are principal axes. A matrix of Euclidean
    distances is met exactly, one of geodesic distances with least squares (multidimensional
    scaling by majorisation, from the classical solution).

    Parameters
    ----------
    distances_mm
        (n_regions, n_regions), mm, symmetric, diagonal 0. A distance across the midline may be NaN
        or infinite where labels name homologues: the hemispheres, placed by themselves, are turned
        so that these coincide, `GAP_MM` apart.
    hemisphere
        (n_regions,), 0 left, 1 right, 2 both.
    labels
        n_regions labels.

    Returns
    -------
    FloatArray
        (n_regions, n_axes), mm.

    Raises
    ------
    DataError
        If a distance is missing that nothing replaces.

    References
    ----------
    Torgerson (1952), Psychometrika 17, 401; de Leeuw (1977), in: Recent Developments in Statistics,
    133 (majorisation).
    """
    pairs, _ = same_named_pairs(labels, hemisphere)
    sides = [np.flatnonzero(hemisphere == side) for side in (0, 1)]
    apart = distances_mm[np.ix_(*sides)]
    if all(map(len, sides)) and np.isfinite(apart).all():
        whole = _complete(distances_mm, labels)
        return _turned(_placed(whole), pairs, sides)
    return _side_by_side(distances_mm, sides, pairs, labels)


def misfit(distances_mm: FloatArray, places: FloatArray) -> tuple[float, float]:
    """Return the median error of the known distances, mm, and the correlation with them."""
    known = np.isfinite(distances_mm) & ~np.eye(len(places), dtype=bool)
    found = scipy.spatial.distance.cdist(places, places)[known]
    return (
        float(np.median(np.abs(found - distances_mm[known]))),
        float(np.corrcoef(found, distances_mm[known])[0, 1]),
    )


def _complete(distances_mm: FloatArray, labels: Sequence[str]) -> FloatArray:
    known = np.array(distances_mm, dtype=np.float64)
    np.fill_diagonal(known, 0.0)
    missing = np.argwhere(~np.isfinite(known))
    if len(missing):
        raise DataError(
            "distances",
            [
                f"there is no distance between {shown([labels[i] for i in missing[0].tolist()])}; "
                "only those between left and right regions may be missing"
            ],
        )
    return (known + known.T) / 2


def _side_by_side(
    distances_mm: FloatArray, sides: Sequence[IntArray], pairs: IntArray, labels: Sequence[str]
) -> FloatArray:
    """Place each hemisphere by itself, and turn the right one onto the left by named homologues."""
    both = np.setdiff1d(np.arange(len(labels)), np.concatenate(sides))
    if len(both) or (all(map(len, sides)) and len(pairs) < MIN_PAIRS):
        raise DataError(
            "distances",
            [
                "distances between left and right regions are missing; they may be where labels "
                f"name at least {MIN_PAIRS} homologues (such as L_x and R_x) and no region is of "
                "both sides: give them, or coordinates"
            ],
        )
    own = [_placed(_complete(distances_mm[np.ix_(s, s)], [labels[i] for i in s])) for s in sides]
    n_axes = max(one.shape[1] for one in own)
    own = [np.pad(one, ((0, 0), (0, n_axes - one.shape[1]))) for one in own]
    if all(map(len, sides)):
        left, right = (
            one[np.searchsorted(mine, pairs[:, k])]
            for k, (mine, one) in enumerate(zip(sides, own, strict=True))
        )
        turn, _ = scipy.linalg.orthogonal_procrustes(right - right.mean(0), left - left.mean(0))
        own[1] = (own[1] - right.mean(0)) @ turn + left.mean(0)
    rest = np.empty((len(labels), n_axes))
    for mine, one in zip(sides, own, strict=True):
        rest[mine] = one
    across = np.where(np.isin(np.arange(len(labels)), sides[0]), -GAP_MM / 2, GAP_MM / 2)
    return np.column_stack([across, _principal(rest)])


def _placed(distances_mm: FloatArray) -> FloatArray:
    """Return the places with the least squared error of distances, (n_regions, n_axes)."""
    return (
        _scaled(distances_mm, _classical(distances_mm)) if len(distances_mm) else np.empty((0, 0))
    )


def _classical(distances_mm: FloatArray) -> FloatArray:
    """Return the classical solution, (n_regions, n_axes)."""
    squared = distances_mm**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    kept = values > values.max() * 1e-12
    return vectors[:, kept] * np.sqrt(values[kept])


def _scaled(wanted: FloatArray, places: FloatArray) -> FloatArray:
    """Move places until a step hardly improves the squared error of their distances."""
    size, before = float((wanted**2).sum()), np.inf
    for _ in range(MAX_STEPS):
        found = scipy.spatial.distance.cdist(places, places)
        error = float(((found - wanted) ** 2).sum()) / size
        if before - error < ENOUGH:
            break
        before = error
        ratio = np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)
        places = (ratio.sum(axis=1)[:, None] * places - ratio @ places) / len(places)
    return places


def _turned(places: FloatArray, pairs: IntArray, sides: Sequence[IntArray]) -> FloatArray:
    """Turn the axis from left to right into the first, and the others into principal axes."""
    ends = pairs.T if len(pairs) >= MIN_PAIRS else sides
    left, right = (places[end].mean(axis=0) for end in ends)
    axis = (right - left) / np.linalg.norm(right - left)
    from_middle = places - (left + right) / 2
    across = from_middle @ axis
    return np.column_stack([across, _principal(from_middle - np.outer(across, axis))])


def _principal(places: FloatArray) -> FloatArray:
    """Turn places so that their axes are the principal ones, those of most variance first."""
    vectors, spread, _ = np.linalg.svd(places - places.mean(axis=0), full_matrices=False)
    turned: FloatArray = (vectors * spread)[:, spread > MIN_SPREAD_MM * np.sqrt(len(places))]
    return turned

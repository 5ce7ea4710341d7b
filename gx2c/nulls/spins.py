"""Spins: random rotations of the cortex's spheres, stored as region indices.

Convention: `spins[i, k]` is the region whose data move to region i in spin k, so that
`expression[spins[:, k]]` is a surrogate expression.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.spheres import MIRROR, unit_spheres

# (distance of every original to every rotated region) -> rotated region for each original
Reassign = Callable[[FloatArray], IntArray]

# Keeps spins apart from whatever else is drawn with the same seed
SPIN_STREAM = 0x5B1


def random_rotation(rng: np.random.Generator) -> FloatArray:
    """Draw a rotation uniformly (Haar measure on SO(3)), (3, 3), determinant +1.

    References
    ----------
    Mezzadri (2007), Notices of the AMS 54(5), 592-604.
    """
    orthogonal, triangular = np.linalg.qr(rng.standard_normal((3, 3)))
    # without the signs QR favours some rotations
    orthogonal = orthogonal * np.sign(np.diag(triangular))
    rotation: FloatArray = orthogonal * np.sign(np.linalg.det(orthogonal))
    return rotation


def hungarian(distance: FloatArray) -> IntArray:
    """Reassign one to one so that the summed distance is least.

    References
    ----------
    Markello & Misic (2021), NeuroImage 236, 118052.
    """
    assigned: IntArray = linear_sum_assignment(distance)[1].astype(np.int64)
    return assigned


SPIN_METHODS: dict[str, Reassign] = {"hungarian": hungarian}


def make_spins(
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    *,
    n_spins: int,
    seed: int,
    method: str = "hungarian",
    first: int = 0,
) -> IntArray:
    """Make spins first, first + 1, …, first + n_spins - 1 of a cortex.

    Spin k depends on the seed and on k alone. The left sphere turns by a random rotation, the
    right one by its mirror image, so that homologues move alike; each region of a hemisphere
    then takes the data of a rotated region of the same hemisphere.

    Parameters
    ----------
    sphere_coords
        (n_regions, 3), region centroids on their hemisphere's inflated sphere. Each sphere is
        centred on the origin, with the x axis from left to right; the radius is free. Only
        the regions that have expression: the reassignment is among those given.
    hemisphere
        (n_regions,), 0 left, 1 right; the two may have different numbers of regions.
    n_spins
        How many, at least 1.
    seed
        Not negative.
    method
        Reassignment, a name in `SPIN_METHODS`.
    first
        Number of the first spin, not negative.

    Returns
    -------
    IntArray
        (n_regions, n_spins); `expression[spins[:, k]]` is a surrogate expression.

    Raises
    ------
    UserError
        If a region has no sphere coordinates (spins are for the cortex only), the spheres are
        not centred on the origin, there is no such method, or a number is out of range.

    References
    ----------
    Alexander-Bloch et al. (2018), NeuroImage 178, 540-551 (spin test).
    Markello & Misic (2021), NeuroImage 236, 118052 (reassignments).
    """
    reassign = _find_method(method)
    if n_spins < 1 or seed < 0 or first < 0:
        raise UserError(
            f"n_spins={n_spins}, seed={seed}, first={first}: a set of spins needs n_spins of at"
            " least 1 and a seed and a first spin that are not negative"
        )
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    rotations = (spin_rotation(seed, index) for index in range(first, first + n_spins))
    return np.stack(
        [spin_once(on_sphere, hemisphere, rotation, reassign) for rotation in rotations], axis=1
    )


def spin_rotation(seed: int, index: int) -> FloatArray:
    """Return the left hemisphere's rotation in spin `index`, (3, 3)."""
    # a spawn key, because SeedSequence([seed, 0]) is SeedSequence([seed]): NumPy pads by zeros
    source = np.random.SeedSequence(seed, spawn_key=(SPIN_STREAM, index))
    return random_rotation(np.random.default_rng(source))


def spin_once(
    on_sphere: FloatArray, hemisphere: IntArray, rotation: FloatArray, reassign: Reassign
) -> IntArray:
    """Rotate both hemispheres in mirror and reassign within each.

    Parameters
    ----------
    on_sphere
        (n_regions, 3), on unit spheres centred on the origin.
    hemisphere
        (n_regions,), 0 left, 1 right.
    rotation
        (3, 3), the left sphere's; a point p moves to `rotation @ p`.
    reassign
        A value of `SPIN_METHODS`.

    Returns
    -------
    IntArray
        (n_regions,), for each region the region whose data it takes.
    """
    mirrored = MIRROR[:, None] * rotation * MIRROR
    spin = np.empty(len(on_sphere), dtype=np.int64)
    for side, side_rotation in ((0, rotation), (1, mirrored)):
        members = np.flatnonzero(hemisphere == side)
        original = on_sphere[members]
        spin[members] = members[reassign(cdist(original, original @ side_rotation.T))]
    return spin


def _find_method(method: str) -> Reassign:
    try:
        return SPIN_METHODS[method]
    except KeyError:
        raise UserError(
            f"no spin method named {method!r}; choose from {sorted(SPIN_METHODS)}"
        ) from None

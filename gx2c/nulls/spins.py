"""Spins: random rotations of the cortex's spheres, stored as region indices.

Convention: `spins[i, k]` is the region whose data move to region i in spin k, so that
`expression[spins[:, k]]` is a surrogate expression.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.reassign import SPIN_METHODS, SpinMethod
from gx2c.nulls.spheres import MIRROR, unit_spheres

# Keeps spins apart from whatever else is drawn with the same seed
SPIN_STREAM = 0x5B1
# A filter that refuses this many rotations in a row refuses nearly all
MAX_ATTEMPTS = 1_000


def random_rotation(rng: np.random.Generator) -> FloatArray:
    """Draw a rotation uniformly (Haar measure on SO(3)), (3, 3), determinant +1.

    References
    ----------
    Mezzadri (2007), Notices of the AMS 54(5), 592-604.
    """
    rotation: FloatArray = _rotations(rng.standard_normal((1, 3, 3)))[0]
    return rotation


def _rotations(gaussian: FloatArray) -> FloatArray:
    """Turn (n, 3, 3) standard normal numbers into rotations."""
    orthogonal, triangular = np.linalg.qr(gaussian)
    # without the signs QR favours some rotations
    orthogonal = orthogonal * np.sign(np.diagonal(triangular, axis1=1, axis2=2))[:, None, :]
    turn = np.sign(np.linalg.det(orthogonal))
    return np.asarray(orthogonal * turn[:, None, None], dtype=np.float64)


def make_spins(
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    *,
    n_spins: int,
    seed: int,
    method: str = "hungarian",
    first: int = 0,
    max_distortion: float | None = None,
    n_jobs: int = 1,
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
    max_distortion
        Redraw rotations whose `spin_distortion` is above it. Spins are then no longer uniform
        rotations: say so beside what they give.
    n_jobs
        How many threads may work at once; the spins are the same for any number.

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
    find_method(method)
    if n_spins < 1 or seed < 0 or first < 0 or n_jobs < 1:
        raise UserError(
            f"n_spins={n_spins}, seed={seed}, first={first}, n_jobs={n_jobs}: a set of spins"
            " needs n_spins and n_jobs of at least 1 and a seed and a first spin that are not"
            " negative"
        )
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    numbers = np.arange(first, first + n_spins)
    rotate = partial(rotate_regions, on_sphere, hemisphere, method=method, n_jobs=n_jobs)
    spins = rotate(spin_rotations(seed, numbers))
    if max_distortion is not None:
        _redraw(spins, on_sphere, hemisphere, max_distortion, seed, numbers, rotate)
    return spins


def spin_rotation(seed: int, index: int, attempt: int = 0) -> FloatArray:
    """Return the left hemisphere's rotation in spin `index`, (3, 3).

    `attempt` counts the rotations that a filter refused before.
    """
    rotation: FloatArray = spin_rotations(seed, [index], attempt)[0]
    return rotation


def spin_rotations(seed: int, indices: Sequence[int] | IntArray, attempt: int = 0) -> FloatArray:
    """Return the left hemisphere's rotations in some spins, (len(indices), 3, 3)."""
    # a spawn key, because SeedSequence([seed, 0]) is SeedSequence([seed]): NumPy pads by zeros
    keys = [(SPIN_STREAM, int(k)) + ((attempt,) if attempt else ()) for k in indices]
    sources = (np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)) for key in keys)
    draws = [np.random.Generator(source).standard_normal((3, 3)) for source in sources]
    return _rotations(np.array(draws).reshape(-1, 3, 3))


def rotate_regions(
    on_sphere: FloatArray,
    hemisphere: IntArray,
    rotations: FloatArray,
    *,
    method: str,
    n_jobs: int = 1,
) -> IntArray:
    """Rotate both hemispheres in mirror, by rotations given, and reassign within each.

    Parameters
    ----------
    on_sphere
        (n_regions, 3), on unit spheres centred on the origin.
    hemisphere
        (n_regions,), 0 left, 1 right.
    rotations
        (n_spins, 3, 3), of the left sphere; a point p moves to `rotation @ p`.
    method, n_jobs
        As for `make_spins`.

    Returns
    -------
    IntArray
        (n_regions, n_spins), for each region the region whose data it takes.
    """
    chosen = find_method(method)
    n_parts = min(n_jobs, os.cpu_count() or 1, len(rotations)) if chosen.threads else 1
    spins = np.empty((len(on_sphere), len(rotations)), dtype=np.int64)
    for side in (0, 1):
        members = np.flatnonzero(hemisphere == side)
        if not len(members):
            continue
        turned = rotations * np.outer(MIRROR, MIRROR) if side else rotations
        work = partial(_reassign_side, on_sphere[members], method=chosen)
        parts = np.array_split(turned, n_parts)
        spins[members] = members[np.concatenate(_map(work, parts))].T
    return spins


def spin_distortion(spins: IntArray, on_sphere: FloatArray, hemisphere: IntArray) -> FloatArray:
    """Return how far each spin is from a rigid rotation, (n_spins,).

    The mean change of the distance between two regions of a hemisphere when each is replaced by
    the region whose data it takes, as a share of the mean distance; 0 for a perfect rotation.
    """
    change, total = np.zeros(spins.shape[1]), 0.0
    for side in np.unique(hemisphere):
        members = np.flatnonzero(hemisphere == side)
        distance = np.sqrt(np.clip(2 - 2 * on_sphere @ on_sphere.T, 0, None))
        own = distance[np.ix_(members, members)]
        total += own.sum()
        for k, spin in enumerate(spins[members].T):
            change[k] += np.abs(distance[np.ix_(spin, spin)] - own).sum()
    return change / total


def find_method(name: str) -> SpinMethod:
    """Return a reassignment by its name, or refuse the name."""
    try:
        return SPIN_METHODS[name]
    except KeyError:
        raise UserError(
            f"no spin method named {name!r}; choose from {sorted(SPIN_METHODS)}"
        ) from None


def _reassign_side(original: FloatArray, rotations: FloatArray, *, method: SpinMethod) -> IntArray:
    size = max(1, method.batch_values // len(original) ** 2)
    batches = [rotations[start : start + size] for start in range(0, len(rotations), size)]
    # cosine of region i with rotated region j is (rotation^T original_i) . original_j
    return np.concatenate(
        [method.reassign(np.matmul(original @ batch, original.T)) for batch in batches]
    )


def _map(work: Callable[[FloatArray], IntArray], parts: list[FloatArray]) -> list[IntArray]:
    if len(parts) == 1:
        return [work(parts[0])]
    with ThreadPoolExecutor(len(parts)) as threads:
        return list(threads.map(work, parts))


def _redraw(
    spins: IntArray,
    on_sphere: FloatArray,
    hemisphere: IntArray,
    max_distortion: float,
    seed: int,
    numbers: IntArray,
    rotate: Callable[[FloatArray], IntArray],
) -> None:
    """Replace, in place, spins that a filter refuses; each has its own further attempts."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        refused = np.flatnonzero(spin_distortion(spins, on_sphere, hemisphere) > max_distortion)
        if not len(refused):
            return
        spins[:, refused] = rotate(spin_rotations(seed, numbers[refused], attempt))
    raise UserError(
        f"max_distortion={max_distortion} refuses {MAX_ATTEMPTS} rotations in a row; allow more"
    )

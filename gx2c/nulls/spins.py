"""Spins: random rotations of the cortical spheres, stored as region indices.

Convention: `spins[i, k]` is the region whose data move to region i in spin k, so
`expression[spins[:, k]]` is a surrogate expression.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from gx2c.data.brain import MIRROR, FloatArray, IntArray
from gx2c.errors import UserError, look_up
from gx2c.files import load_npy
from gx2c.nulls.spheres import SPIN_METHODS, SpinMethod, unit_spheres

# Separates spins from other random numbers with the same seed
SPIN_STREAM = 0x5B1
# A filter that rejects this many rotations in a row rejects nearly all
MAX_ATTEMPTS = 1_000


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

    Spin k depends only on the seed and k. The left sphere turns by a random rotation and the right
    one by its mirror image, so that homologues move alike; each region of a hemisphere then takes
    the data of a rotated region of the same hemisphere.

    Parameters
    ----------
    sphere_coords
        (n_regions, 3), region centroids on their hemisphere's inflated sphere. Each sphere is
        centred on the origin, with the x axis from left to right and any radius. Pass only regions
        with expression, because regions are reassigned among those given.
    hemisphere
        (n_regions,), 0 left, 1 right; the two may have different numbers of regions.
    n_spins
        Number of spins, at least 1.
    seed
        Non-negative seed.
    method
        Reassignment, a name in `SPIN_METHODS`.
    first
        Number of the first spin, non-negative.
    max_distortion
        Redraw rotations with a larger `spin_distortion`. Spins are then no longer uniform
        rotations, which should be reported with any result.
    n_jobs
        Number of threads; the spins are the same for any number.

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
    look_up(SPIN_METHODS, method, "spin method named")
    check_numbers(n_spins, seed, first, n_jobs)
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    numbers = np.arange(first, first + n_spins)
    rotate = partial(rotate_regions, on_sphere, hemisphere, method=method, n_jobs=n_jobs)
    spins = rotate(spin_rotations(seed, numbers))
    if max_distortion is not None:
        _redraw(spins, on_sphere, hemisphere, max_distortion, seed, numbers, rotate)
    return spins


def spin_rotations(seed: int, indices: Sequence[int] | IntArray, attempt: int = 0) -> FloatArray:
    """Return the left hemisphere's rotations in some spins, (len(indices), 3, 3).

    They are uniform (Haar measure on SO(3)). `attempt` counts the rotations that a filter rejected
    before.

    References
    ----------
    Mezzadri (2007), Notices of the AMS 54(5), 592-604.
    """
    # a spawn key, because SeedSequence([seed, 0]) equals SeedSequence([seed]): NumPy pads with
    # zeros
    keys = [(SPIN_STREAM, int(k)) + ((attempt,) if attempt else ()) for k in indices]
    sources = (np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)) for key in keys)
    draws = [np.random.Generator(source).standard_normal((3, 3)) for source in sources]
    orthogonal, triangular = np.linalg.qr(np.array(draws).reshape(-1, 3, 3))
    # without the signs, QR favours some rotations
    orthogonal = orthogonal * np.sign(np.diagonal(triangular, axis1=1, axis2=2))[:, None, :]
    turn = np.sign(np.linalg.det(orthogonal))
    return np.asarray(orthogonal * turn[:, None, None], dtype=np.float64)


def rotate_regions(
    on_sphere: FloatArray,
    hemisphere: IntArray,
    rotations: FloatArray,
    *,
    method: str,
    n_jobs: int = 1,
) -> IntArray:
    """Rotate the hemispheres by given rotations and their mirror images, and reassign within each.

    Parameters
    ----------
    on_sphere
        (n_regions, 3), on unit spheres centred on the origin.
    hemisphere
        (n_regions,), 0 left, 1 right.
    rotations
        (n_spins, 3, 3), rotations of the left sphere; a point p moves to `rotation @ p`.
    method, n_jobs
        As in `make_spins`.

    Returns
    -------
    IntArray
        (n_regions, n_spins), for each region the region whose data it takes.
    """
    chosen = look_up(SPIN_METHODS, method, "spin method named")
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
    """Return the deviation of each spin from a rigid rotation, (n_spins,).

    It is the mean change of the distance between two regions of a hemisphere when each is replaced
    by the region whose data it takes, divided by the mean distance; 0 for a perfect rotation.
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


def read_spins(path: Path, n_regions: int) -> IntArray:
    """Read spins from a .npy file, (n_regions, n_spins).

    Raises
    ------
    UserError
        If there is no file, or it does not hold spins of that number of regions.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}; `gx2c nulls make --out {path}` makes one")
    try:
        spins: IntArray = load_npy(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not an array of spins ({error}); `gx2c nulls make` makes one"
        ) from None
    inside = spins.dtype.kind in "iu" and spins.ndim == 2 and len(spins) == n_regions
    if not inside or not spins.size or spins.min() < 0 or spins.max() >= n_regions:
        raise UserError(
            f"{path} contains {spins.dtype} of shape {spins.shape}; spins of this dataset are"
            f" integers from 0 to {n_regions - 1} of shape ({n_regions}, n_spins): make new ones"
        )
    if n_regions > 1 and (n_same := int(np.count_nonzero((spins == spins[0]).all(axis=0)))):
        raise UserError(
            f"{n_same} of {spins.shape[1]} spins in {path} give all regions the data of one region;"
            " make new ones"
        )
    return spins


def check_numbers(n_spins: int, seed: int, first: int, n_jobs: int = 1) -> None:
    """Raise an error for numbers that are out of range."""
    if n_spins < 1 or seed < 0 or first < 0 or n_jobs < 1:
        raise UserError(
            f"n_spins={n_spins}, seed={seed}, first={first}, n_jobs={n_jobs}: n_spins and n_jobs"
            " must be at least 1, and seed and first must not be negative"
        )


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
    """Replace, in place, spins that a filter rejects; each has its own further attempts."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        refused = np.flatnonzero(spin_distortion(spins, on_sphere, hemisphere) > max_distortion)
        if not len(refused):
            return
        spins[:, refused] = rotate(spin_rotations(seed, numbers[refused], attempt))
    raise UserError(
        f"max_distortion={max_distortion} rejects {MAX_ATTEMPTS} rotations in a row; increase it"
    )

"""Spheres for spins: checks, projection to unit radius, and reassignment of rotated regions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from lap import lapjvr_batch

from gx2c.data.brain import MIRROR, FloatArray, IntArray
from gx2c.data.sides import nearest_homologues
from gx2c.errors import UserError

# A centroid averaged over a large parcel lies below the surface, but less than this; on a sphere
# with another centre the radii differ by much more
MIN_RADIUS_RATIO = 0.5
# Rounding of the places on a projected sphere moves its lines by less
MAX_MISS_MM = 0.01
PROJECTED = "spheres are projected centroids, not inflated surfaces: spins are an approximation"
# (n_spins, n, n) cosines of every region with every rotated region, in one hemisphere
# -> (n_spins, n), the rotated region of each region
Reassign = Callable[[FloatArray], IntArray]


def unit_spheres(sphere_coords: FloatArray, hemisphere: IntArray) -> FloatArray:
    """Project centroids onto spheres of radius 1 about the origin, (n_regions, 3).

    The centre is that of the sphere, not the mean of the centroids, which is off centre because
    regions are missing at the medial wall.

    Raises
    ------
    UserError
        If coordinates are missing (a region outside the cortex), the hemisphere is neither 0 nor 1,
        or the radii within a hemisphere differ too much for a sphere about the origin.
    """
    if sphere_coords.shape != (len(hemisphere), 3):
        raise UserError(
            f"sphere coordinates have shape {sphere_coords.shape}; {len(hemisphere)} regions"
            f" need ({len(hemisphere)}, 3)"
        )
    n_missing = np.count_nonzero(~np.isfinite(sphere_coords).all(axis=1))
    if n_missing:
        raise UserError(
            f"{n_missing} of {len(hemisphere)} regions have no sphere coordinates; spins are for"
            " the cortex only: drop those regions (--cortex-only), or choose stitched or moran"
            " (--null-method)"
        )
    if not np.isin(hemisphere, (0, 1)).all():
        raise UserError("hemisphere holds values other than 0 (left) and 1 (right); recode it")
    radius = np.linalg.norm(sphere_coords, axis=1)
    for side in np.unique(hemisphere):
        own = radius[hemisphere == side]
        if own.min() <= MIN_RADIUS_RATIO * own.max():
            raise UserError(
                f"{'right' if side else 'left'} sphere coordinates lie {own.min():.3g} to"
                f" {own.max():.3g} mm from the origin; a spin needs a sphere centred on it:"
                " subtract the sphere's centre"
            )
    return sphere_coords / radius[:, None]


def are_projected(sphere_coords: FloatArray, coords_mm: FloatArray, hemisphere: IntArray) -> bool:
    """Return whether spheres are centroids pushed out from one point, not an inflated surface.

    Then the lines through each centroid in the direction of its place on the sphere meet.
    """
    known = np.isfinite(sphere_coords).all(axis=1)
    for side in (0, 1):
        mine = known & (hemisphere == side)
        if not mine.any():
            continue
        direction = sphere_coords[mine] / np.linalg.norm(sphere_coords[mine], axis=1, keepdims=True)
        across = np.eye(3) - direction[:, :, None] * direction[:, None, :]
        feet = np.einsum("nij,nj->ni", across, coords_mm[mine])
        centre = np.linalg.lstsq(across.sum(axis=0), feet.sum(axis=0), rcond=None)[0]
        if np.abs(feet - across @ centre).max() > MAX_MISS_MM:
            return False
    return bool(known.any())


def as_left(sphere_coords: FloatArray, hemisphere: IntArray) -> FloatArray:
    """Mirror the right sphere onto the left one, (n_regions, 3), so that one rotation is enough."""
    return np.where(hemisphere[:, None] == 1, sphere_coords * MIRROR, sphere_coords)


def check_handedness(
    sphere_coords: FloatArray, coords_mm: FloatArray, hemisphere: IntArray
) -> None:
    """Raise an error if the right sphere is not the mirror image of the left.

    Homologues are matched one to one on mirrored MNI centroids; on the spheres they must be closer
    with the right sphere mirrored than without. With spheres of the same handedness, mirrored
    rotations would move homologues apart and triple the false positives.

    Parameters
    ----------
    sphere_coords
        (n_regions, 3), as for `make_spins`.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right; with a single hemisphere nothing is checked.

    Raises
    ------
    UserError
        If the right sphere is not mirrored, or as in `unit_spheres`.
    """
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    pairs = nearest_homologues(coords_mm, hemisphere)
    if not len(pairs):
        return
    on_left, on_right = on_sphere[pairs[:, 0]], on_sphere[pairs[:, 1]]
    mirrored = np.linalg.norm(on_left - on_right * MIRROR, axis=1).mean()
    unmirrored = np.linalg.norm(on_left - on_right, axis=1).mean()
    if mirrored >= unmirrored:
        raise UserError(
            f"homologues are {mirrored:.2f} radii apart with the right sphere mirrored and"
            f" {unmirrored:.2f} without; spins need a right sphere that mirrors the left in x:"
            " change the sign of the right sphere's x"
        )


@dataclass(frozen=True)
class SpinMethod:
    """A reassignment and its fastest execution."""

    reassign: Reassign  # Function that reassigns a batch of rotations
    bijective: bool  # Whether every region is used exactly once; otherwise data may repeat
    batch_values: int  # Number of cosines per batch, (spins in a batch) * n * n
    threads: bool = True  # Whether threads make it faster; many short NumPy calls block each other


def alexander_bloch(cosine: FloatArray) -> IntArray:
    """Assign the nearest rotated region, which may be used repeatedly or not at all.

    References
    ----------
    Alexander-Bloch et al. (2018), NeuroImage 178, 540-551.
    """
    return cosine.argmax(axis=-1).astype(np.int64, copy=False)


def vasa(cosine: FloatArray) -> IntArray:
    """Assign one to one, greedily: first the region whose nearest free region is farthest.

    References
    ----------
    Vasa et al. (2018), Cerebral Cortex 28(1), 281-294.
    """
    n_spins, n = cosine.shape[:2]
    # one row per region and spin; `first` is the first row of each spin
    rows, first = cosine.reshape(-1, n), np.arange(n_spins) * n
    nearest = rows.argmax(axis=1)
    closeness = rows[np.arange(len(rows)), nearest]
    assigned = np.empty(len(rows), dtype=np.int64)
    # added to closeness: -inf for used rotated regions
    used = np.zeros((n_spins, n))
    for _ in range(n):
        row = first + closeness.reshape(n_spins, n).argmin(axis=1)
        column = nearest[row]
        assigned[row] = column
        closeness[row], nearest[row] = np.inf, -1
        used[np.arange(n_spins), column] = -np.inf
        # only the few regions that lost their nearest region search again
        lost = np.flatnonzero(nearest.reshape(n_spins, n) == column[:, None])
        free = rows[lost] + used[lost // n]
        nearest[lost] = free.argmax(axis=1)
        closeness[lost] = free[np.arange(len(lost)), nearest[lost]]
    return assigned.reshape(n_spins, n)


def hungarian(cosine: FloatArray) -> IntArray:
    """Assign one to one with the least total distance.

    References
    ----------
    Markello & Misic (2021), NeuroImage 236, 118052.
    """
    distance = np.multiply(cosine, -2.0)
    distance += 2.0
    np.sqrt(np.maximum(distance, 0.0, out=distance), out=distance)
    # subtracting a constant from a row or column keeps the best assignment and speeds up the search
    distance -= distance.min(axis=2, keepdims=True)
    distance -= distance.min(axis=1, keepdims=True)
    # the same optimum as SciPy's linear_sum_assignment in half the time, and it releases threads
    _, columns = lapjvr_batch(distance, return_cost=False, n_threads=1)
    return np.array(columns, dtype=np.int64)


# Batches fit a core's cache, except where larger NumPy calls amortise their overhead
SPIN_METHODS: Mapping[str, SpinMethod] = {
    "alexander_bloch": SpinMethod(alexander_bloch, bijective=False, batch_values=160_000),
    "hungarian": SpinMethod(hungarian, bijective=True, batch_values=320_000),
    "vasa": SpinMethod(vasa, bijective=True, batch_values=2_560_000, threads=False),
}

"""Spheres for spins: checks, and projection to unit radius."""

import numpy as np

from gx2c.data.brain import MIRROR, FloatArray, IntArray
from gx2c.data.sides import nearest_homologues
from gx2c.errors import UserError

# A centroid averaged over a large parcel lies below the surface, but less than this; on a sphere
# with another centre the radii differ by much more
MIN_RADIUS_RATIO = 0.5


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

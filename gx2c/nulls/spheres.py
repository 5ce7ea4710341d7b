"""The spheres that spins turn: checked, and brought to unit radius."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError

MIRROR = np.array([-1.0, 1.0, 1.0])

# A centroid averaged over a large parcel lies below the surface, but not this far below;
# on a sphere that is centred elsewhere the radii differ by much more
MIN_RADIUS_RATIO = 0.5


def unit_spheres(sphere_coords: FloatArray, hemisphere: IntArray) -> FloatArray:
    """Project centroids onto spheres of radius 1 about the origin, (n_regions, 3).

    The centre is the sphere's own, not the mean of the centroids: regions are missing at the
    medial wall, and the mean of the others lies off centre.

    Raises
    ------
    UserError
        If coordinates are missing (a region outside the cortex), the hemisphere is neither 0
        nor 1, or the radii within a hemisphere are too unlike for a sphere about the origin.
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
            " the cortex only: leave those regions out or ask for no nulls"
        )
    if not np.isin(hemisphere, (0, 1)).all():
        raise UserError("hemisphere holds values other than 0 (left) and 1 (right); recode it")
    radius = np.linalg.norm(sphere_coords, axis=1)
    for side in np.unique(hemisphere):
        _check_radii(radius[hemisphere == side], "right" if side else "left")
    projected: FloatArray = sphere_coords / radius[:, None]
    return projected


def _check_radii(radius: FloatArray, side: str) -> None:
    if radius.min() <= MIN_RADIUS_RATIO * radius.max():
        raise UserError(
            f"{side} sphere coordinates lie {radius.min():.3g} to {radius.max():.3g} mm from the"
            " origin; a spin needs a sphere centred on it: subtract the sphere's centre"
        )


def check_handedness(
    sphere_coords: FloatArray, coords_mm: FloatArray, hemisphere: IntArray
) -> None:
    """Refuse spheres whose right hemisphere is not the mirror image of the left.

    Homologues are matched one to one on mirrored MNI centroids; on the spheres they must lie
    closer with the right sphere mirrored than without. With spheres of one handedness, turning
    them in mirror would move homologues apart and triple the false positives.

    Parameters
    ----------
    sphere_coords
        (n_regions, 3), as for `make_spins`.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right; nothing is checked where only one is present.

    Raises
    ------
    UserError
        If the right sphere is not mirrored, or as for `unit_spheres`.
    """
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    left, right = np.flatnonzero(hemisphere == 0), np.flatnonzero(hemisphere == 1)
    if not (len(left) and len(right)):
        return
    matched = linear_sum_assignment(cdist(coords_mm[left], coords_mm[right] * MIRROR))
    on_left, on_right = on_sphere[left[matched[0]]], on_sphere[right[matched[1]]]
    mirrored = np.linalg.norm(on_left - on_right * MIRROR, axis=1).mean()
    unmirrored = np.linalg.norm(on_left - on_right, axis=1).mean()
    if mirrored >= unmirrored:
        raise UserError(
            f"homologues lie {mirrored:.2f} radii apart with the right sphere mirrored and"
            f" {unmirrored:.2f} without; spins need a right sphere that mirrors the left in x:"
            " change the sign of the right sphere's x"
        )

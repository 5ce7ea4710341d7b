"""Spins that need the vertices of a parcellation, not only its centroids."""

import numpy as np
import scipy

from gx2c.data.brain import MIRROR, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.spheres import unit_spheres
from gx2c.nulls.spins import check_numbers, spin_rotations


def baum_spins(
    vertex_coords: FloatArray,
    vertex_region: IntArray,
    vertex_hemisphere: IntArray,
    *,
    n_spins: int,
    seed: int,
    first: int = 0,
) -> IntArray:
    """Assign to each region the most common rotated region among its vertices; data may repeat.

    Without vertices there is no such spin: with one point per region it is `alexander_bloch`.

    Parameters
    ----------
    vertex_coords
        (n_vertices, 3), on spheres as in `make_spins`.
    vertex_region
        (n_vertices,), region number from 0, or -1 outside the regions in use (medial wall, or no
        expression). Such vertices are ignored, so that no region is lost.
    vertex_hemisphere
        (n_vertices,), 0 left, 1 right.
    n_spins, seed, first
        As in `make_spins`: spin k is the same rotation there and here.

    Returns
    -------
    IntArray
        (n_regions, n_spins), as from `make_spins`.

    Raises
    ------
    UserError
        If shapes disagree, a region has no vertex, or as in `make_spins`.

    References
    ----------
    Baum et al. (2020), PNAS 117(1), 771-778.
    """
    if not len(vertex_coords) == len(vertex_region) == len(vertex_hemisphere):
        raise UserError(
            f"{len(vertex_coords)} vertices have {len(vertex_region)} regions and"
            f" {len(vertex_hemisphere)} hemispheres; each vertex needs one of each"
        )
    check_numbers(n_spins, seed, first)
    used = np.flatnonzero(vertex_region >= 0)
    region, side = vertex_region[used], vertex_hemisphere[used]
    missing = np.setdiff1d(np.arange(region.max(initial=-1) + 1), region)
    if len(missing) or not len(used):
        raise UserError(f"regions {missing.tolist()} have no vertex; number the regions in use")
    on_sphere = unit_spheres(vertex_coords[used], side)
    rotations = spin_rotations(seed, np.arange(first, first + n_spins))
    return rotate_vertices(on_sphere, region, side, rotations)


def rotate_vertices(
    on_sphere: FloatArray, region: IntArray, hemisphere: IntArray, rotations: FloatArray
) -> IntArray:
    """Rotate vertices by given rotations; return (n_regions, n_spins) as `baum_spins` does."""
    n_regions = int(region.max()) + 1
    counts = np.zeros((len(rotations), n_regions, n_regions), dtype=np.int32)
    for side in np.unique(hemisphere):
        members = np.flatnonzero(hemisphere == side)
        original, own = on_sphere[members], region[members]
        turned = rotations * np.outer(MIRROR, MIRROR) if side else rotations
        tree = scipy.spatial.cKDTree(original)
        for count, rotation in zip(counts, turned, strict=True):
            # rotating the queries back equals rotating the tree's points, and the tree is built
            # once
            np.add.at(count, (own, own[tree.query(original @ rotation)[1]]), 1)
    return np.asarray(counts.argmax(axis=2).T, dtype=np.int64)

"""Surrogates that spin-permute part of expression: its spatial residual, or the cortex alone.

Genes that vary smoothly in MNI space partly encode the locations of regions. A spin breaks that
map too, so true genes can beat spin-permuted ones by location alone. `residual` spin-permutes only
the residual of a smoother over mirrored coordinates, like a permutation of residuals with a fixed
nuisance.
"""

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.sides import mirrored
from gx2c.errors import UserError
from gx2c.nulls.moran import make_moran
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spins import make_spins
from gx2c.nulls.surrogate import Surrogate, spin_indices

# Smoother: an rbf kernel exp(-d^2 / (SCALE * median d^2)) and its ridge. A larger ridge leaves part
# of smooth gradients in the residual, whose loss in nulls looks like a local effect (docs/log.md)
SCALE = 0.1
RIDGE = 0.1
# Cortex and the rest of one brain must not share random numbers
REST_SEED_OFFSET = 1_000_003
# Moran's weights need so many regions
MIN_REST = 3


def residual(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Spin-permute the residual of a spatial smoother of expression.

    References
    ----------
    Freedman & Lane (1983), J. Bus. Econ. Stat. 1(4), 292 (permutation of residuals).
    """
    smoother, indices = make_smoother(brain.coords_mm), spin_indices(brain, seed)

    def draw(expression: FloatArray, k: int) -> FloatArray:
        mean = expression.mean(axis=0)
        smooth = smoother @ (expression - mean)
        rest = expression - mean - smooth
        return mean + smooth + rest[indices(k, 1)[:, 0]]

    return Surrogate(
        "residual_spin",
        "hungarian spins of the residual of expression after a smoother over mirrored MNI"
        " coordinates; the smooth part stays in place, so a gain that it carries is not detected",
        draw,
        linear=True,
    )


def make_smoother(coords_mm: FloatArray) -> FloatArray:
    """Return the hat matrix of kernel ridge regression on mirrored coordinates."""
    distances = scipy.spatial.distance.pdist(mirrored(coords_mm), "sqeuclidean")
    squared = scipy.spatial.distance.squareform(distances)
    kernel = np.exp(
        -squared / (SCALE * float(np.median(squared[np.triu_indices(len(squared), 1)])))
    )
    return np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), kernel).T


def stitched(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Spin the cortex, and randomise the rest by Moran spectral randomisation."""
    if brain.sphere_coords is None:
        raise UserError(
            f"{brain.name} has no sphere coordinates, which identify the cortex; add them or choose"
            " moran, variogram or random_field"
        )
    in_cortex = np.isfinite(brain.sphere_coords).all(axis=1)
    cortex, rest = np.flatnonzero(in_cortex), np.flatnonzero(~in_cortex)
    if not len(cortex) or len(rest) < MIN_REST:
        raise UserError(
            f"{brain.name} has {len(cortex)} cortical and {len(rest)} other regions; stitching"
            f" needs cortex and at least {MIN_REST} others: choose hungarian or moran, or drop the"
            " others (--cortex-only)"
        )
    sphere_coords, hemisphere = brain.sphere_coords[cortex], brain.hemisphere[cortex]
    check_handedness(sphere_coords, brain.coords_mm[cortex], hemisphere)
    moran = make_moran(brain.coords_mm[rest], seed=seed + REST_SEED_OFFSET)

    def draw(expression: FloatArray, k: int) -> FloatArray:
        spin = make_spins(sphere_coords, hemisphere, n_spins=1, seed=seed, first=k)[:, 0]
        drawn = np.empty_like(expression, dtype=np.float64)
        drawn[cortex] = expression[cortex[spin]]
        drawn[rest] = moran(expression[rest], k)
        return drawn

    return Surrogate(
        "stitched",
        f"{len(cortex)} cortical regions by hungarian spins, {len(rest)} others by moran, drawn"
        " independently: covariance between cortex and the rest is broken",
        draw,
        linear=True,
    )

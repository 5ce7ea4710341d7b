"""Moran spectral randomisation: surrogate maps for any regions, cortical or not."""

from collections.abc import Callable

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.surrogate import Surrogate

MORAN_STREAM = 0x303


def surrogate(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Randomise all regions of a brain, cortical or not."""
    return Surrogate(
        "moran",
        "Moran spectral randomisation over MNI distance: each gene's Moran's I and the gene-gene"
        " covariance are kept exactly",
        make_moran(brain.coords_mm, seed=seed),
        linear=True,
    )


def make_moran(coords_mm: FloatArray, *, seed: int) -> Callable[[FloatArray, int], FloatArray]:
    """Prepare Moran randomisation with inverse-distance weights.

    It gives random signs to the spatial spectrum of maps, the same signs for every gene. The signs
    are an orthogonal transform of the regions: each gene keeps its mean, variance and Moran's I,
    and each pair of genes its covariance, exactly.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids, mm; at least 3, all different.
    seed
        Non-negative seed.

    Returns
    -------
    Callable
        (maps, k) -> surrogate k of maps, (n_regions, n_genes); only seed and k determine it.
    """
    vectors = moran_eigenvectors(scipy.spatial.distance.cdist(coords_mm, coords_mm))[0]

    def draw(expression: FloatArray, k: int) -> FloatArray:
        source = np.random.SeedSequence(seed, spawn_key=(MORAN_STREAM, k))
        signs = np.random.default_rng(source).choice(np.array([-1.0, 1.0]), size=vectors.shape[1])
        return randomise(expression, vectors, signs)

    return draw


def moran_weights(distance: FloatArray) -> FloatArray:
    """Return inverse distances, 0 on the diagonal.

    Raises
    ------
    UserError
        If two regions have the same location, or there are fewer than 3.
    """
    off_diagonal = ~np.eye(len(distance), dtype=bool)
    if len(distance) < 3 or not (distance[off_diagonal] > 0).all():
        raise UserError(
            f"{len(distance)} regions, some pairs at distance 0: Moran weights are inverse"
            " distances, which need at least 3 regions at different locations; check coordinates"
        )
    weights = np.zeros_like(distance, dtype=np.float64)
    weights[off_diagonal] = 1.0 / distance[off_diagonal]
    return weights


def moran_eigenvectors(distance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the eigenvectors and eigenvalues of the doubly centred inverse distances.

    Parameters
    ----------
    distance
        (n_regions, n_regions), symmetric, positive off the diagonal.

    Returns
    -------
    vectors : FloatArray
        (n_regions, n_regions - 1), orthonormal, each of mean 0; largest eigenvalue first.
    values : FloatArray
        (n_regions - 1,), proportional to the Moran's I of each vector.

    References
    ----------
    Dray, Legendre & Peres-Neto (2006), Ecol. Modell. 196, 483-493.
    """
    weights = moran_weights(distance)
    n = len(weights)
    centred = weights - weights.mean(axis=0) - weights.mean(axis=1)[:, None] + weights.mean()
    # moves the constant vector, of eigenvalue 0, above all others, where it is removed
    lift = 2.0 * np.abs(centred).sum(axis=1).max()
    values, vectors = np.linalg.eigh(centred + lift / n)
    return np.ascontiguousarray(vectors[:, -2::-1]), values[-2::-1].copy()


def randomise(expression: FloatArray, vectors: FloatArray, signs: FloatArray) -> FloatArray:
    """Multiply the spectrum of maps by signs (the singleton procedure).

    Parameters
    ----------
    expression
        (n_regions, n_genes).
    vectors
        (n_regions, n_regions - 1), from `moran_eigenvectors`.
    signs
        (n_regions - 1,), each 1 or -1.

    Returns
    -------
    FloatArray
        (n_regions, n_genes).

    References
    ----------
    Wagner & Dray (2015), Methods Ecol. Evol. 6(10), 1169-1178.
    """
    mean = expression.mean(axis=0)
    return mean + vectors @ (signs[:, None] * (vectors.T @ (expression - mean)))


def morans_i(maps: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Moran's I of each map, (n_maps,); weights (n_regions, n_regions), diagonal 0."""
    deviation = maps - maps.mean(axis=0)
    squares = (deviation**2).sum(axis=0)
    cross = ((weights @ deviation) * deviation).sum(axis=0)
    return len(maps) / weights.sum() * cross / squares

"""Distance of two connectomes on the manifold of positive-definite matrices."""

import numpy as np
import scipy

from gx2c.data.brain import FloatArray

# Smallest eigenvalue after regularisation; the mean eigenvalue of a correlation matrix is 1
EIGENVALUE_FLOOR = 0.01


def geodesic_distance(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the affine-invariant distance of two connectomes as correlation matrices.

    The distance is sqrt(sum ln^2 e) over the eigenvalues e of inv(measured) @ predicted, both
    regularised as in `nearest_shrunk`. It is 0 for equal matrices, symmetric, and finite for any
    finite prediction; smaller is better. It grows with the number of regions: compare it between
    models on the same fold only.

    Parameters
    ----------
    predicted, measured
        (n_regions, n_regions), symmetric; the diagonals are never read.

    References
    ----------
    Pennec, Fillard & Ayache (2006), Int. J. Comput. Vis. 66, 41 (the distance); Venkatesh,
    Jaja & Pessoa (2020), NeuroImage 207, 116398 (functional connectomes).
    """
    return spd_distance(nearest_shrunk(predicted), nearest_shrunk(measured))


def nearest_shrunk(connectome: FloatArray) -> FloatArray:
    """Make a connectome positive definite by shrinking it towards the identity if necessary.

    The diagonal is set to 1. If the smallest eigenvalue l is below f = `EIGENVALUE_FLOOR`, all
    off-diagonal values are multiplied by (1 - f) / (1 - l), the largest factor that raises l to f.

    Parameters
    ----------
    connectome
        (n_regions, n_regions), symmetric; the diagonal is never read.

    Returns
    -------
    FloatArray
        (n_regions, n_regions), symmetric, unit diagonal, eigenvalues of at least f.
    """
    matrix = np.array(connectome, dtype=np.float64)
    np.fill_diagonal(matrix, 0.0)
    matrix = (matrix + matrix.T) / 2
    least = 1.0 + float(scipy.linalg.eigh(matrix, eigvals_only=True, subset_by_index=(0, 0))[0])
    if least < EIGENVALUE_FLOOR:
        matrix *= (1.0 - EIGENVALUE_FLOOR) / (1.0 - least)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def spd_distance(first: FloatArray, second: FloatArray) -> float:
    """Return sqrt(sum ln^2 eigenvalues of inv(second) @ first) of positive-definite matrices."""
    ratios = scipy.linalg.eigh(first, second, eigvals_only=True)
    return float(np.sqrt(np.sum(np.log(ratios) ** 2)))

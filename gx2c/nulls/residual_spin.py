"""Spins of what geography leaves of expression: the smooth part stays where it is.

Genes that vary smoothly in MNI space are partly a map of where regions are. A spin breaks that map
too, so that unspun genes can beat spun ones by geography alone. Here only the residual of a
smoother over mirrored coordinates is spun, as residuals are permuted when a nuisance stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform

from gx2c.data.brain import FloatArray, IntArray

# Of the smoother: an rbf kernel exp(-d^2 / (SCALE * median d^2)) and its ridge
SCALE = 0.1
RIDGE = 0.3


@dataclass(frozen=True)
class ResidualSpin:
    """Spins the residual of a smoother.

    Attributes
    ----------
    smoother
        (n_regions, n_regions), maps values of regions to their smooth part.
    indices
        (first, n) -> (n_regions, n), spins.

    References
    ----------
    Freedman & Lane (1983), J. Bus. Econ. Stat. 1(4), 292 (permutation of residuals).
    """

    smoother: FloatArray
    indices: Callable[[int, int], IntArray]

    def draw(self, expression: FloatArray, k: int) -> FloatArray:
        """Return surrogate k, (n_regions, n_columns)."""
        mean = expression.mean(axis=0)
        smooth = self.smoother @ (expression - mean)
        residual = expression - mean - smooth
        moved: FloatArray = mean + smooth + residual[self.indices(k, 1)[:, 0]]
        return moved


def make_smoother(coords_mm: FloatArray) -> FloatArray:
    """Return the hat matrix of kernel ridge regression on mirrored coordinates."""
    folded = np.abs(coords_mm) * [1, 0, 0] + coords_mm * [0, 1, 1]
    squared = squareform(pdist(folded, "sqeuclidean"))
    kernel = np.exp(
        -squared / (SCALE * float(np.median(squared[np.triu_indices(len(squared), 1)])))
    )
    hat: FloatArray = np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), kernel).T
    return hat

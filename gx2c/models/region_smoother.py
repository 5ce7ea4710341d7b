"""Two-step kernel ridge: smooth the rows and the columns of a connectome over training regions.

With features F, K = F F^T and S = K (K + ridge)^-1, the bilinear form F O F^T with
O = (F^T F + ridge)^-1 F^T Y F (F^T F + ridge)^-1 is S Y S among training regions and
F* F^T (K + ridge)^-1 Y (K + ridge)^-1 F F*^T elsewhere: with 15,000 genes and 100 regions, an
inverse of 100 x 100 instead of 15,000 x 15,000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Ridges among which generalised cross-validation chooses, relative to the mean eigenvalue
N_RIDGES = 37
LEAST_RIDGE, MOST_RIDGE = 1e-6, 1e3


class RegionSmoother:
    """Ridge regression of a connectome on both ends of each edge, in closed form.

    Parameters
    ----------
    kernel
        (n, n), inner products of the training regions' features.
    connectome
        (n, n), symmetric; its diagonal is never read.
    impute_diagonal
        True: a self-connection is whatever the fit says that it is. False: it is 0, as published.

    References
    ----------
    Stock et al. (2018), Neural Computation 30(8), 2245: two-step kernel ridge regression.
    GeneEx2Conn, NeurIPS 2025, model `bilinear_CM`.
    """

    def __init__(
        self, kernel: FloatArray, connectome: FloatArray, *, impute_diagonal: bool
    ) -> None:
        self.impute_diagonal = impute_diagonal
        values, self._basis = np.linalg.eigh(kernel)
        # rounding leaves eigenvalues of -1e-15
        self._values = np.maximum(values, 0.0)
        self._connectome = np.array(connectome, dtype=np.float64)
        np.fill_diagonal(self._connectome, 0.0)

    def fit(self, ridge: float) -> tuple[FloatArray, float]:
        """Return the dual weights, (n, n), symmetric, and the intercept."""
        completed, intercept = self._complete(ridge)
        inverse = (self._basis / (self._values + ridge)) @ self._basis.T
        weights: FloatArray = inverse @ completed @ inverse
        return (weights + weights.T) / 2, intercept

    def choose_ridge(self) -> float:
        """Return the ridge of least generalised cross-validation score."""
        ridges = self._values.mean() * np.geomspace(LEAST_RIDGE, MOST_RIDGE, N_RIDGES)
        scores = [self.gcv(ridge) for ridge in ridges]
        return float(ridges[int(np.argmin(scores))])

    def gcv(self, ridge: float) -> float:
        """Return the mean squared residual / (1 - (trace S / n)^2)^2 over all pairs.

        References
        ----------
        Golub, Heath & Wahba (1979), Technometrics 21(2), 215, with the smoother S x S.
        """
        completed, intercept = self._complete(ridge)
        smoother = self._smoother(ridge)
        residual = completed - smoother @ completed @ smoother - intercept
        freedom = 1 - (np.trace(smoother) / len(smoother)) ** 2
        return float(np.square(residual).mean() / max(freedom, np.finfo(float).eps) ** 2)

    def _smoother(self, ridge: float) -> FloatArray:
        shrunk: FloatArray = (self._basis * (self._values / (self._values + ridge))) @ self._basis.T
        return shrunk

    def _complete(self, ridge: float) -> tuple[FloatArray, float]:
        """Return the connectome with a diagonal, and the mean residual, which is the intercept."""
        smoother = self._smoother(ridge)
        smooth = smoother @ self._connectome @ smoother
        if not self.impute_diagonal:
            return self._connectome, float((self._connectome - smooth).mean())
        return self._imputed(smoother, smooth)

    def _imputed(self, smoother: FloatArray, smooth: FloatArray) -> tuple[FloatArray, float]:
        """Solve for the diagonal d and the intercept b that agree with their own fit.

        d = diag(S (Y + D) S) + b, where b is the mean of Y + D - S (Y + D) S off the diagonal:
        n + 1 linear equations.
        """
        n = len(smoother)
        squared = smoother**2
        n_pairs = n * (n - 1)
        # what a self-connection adds to the smooth connectome off the diagonal, on average
        spill = (smoother.sum(axis=0) ** 2 - squared.sum(axis=0)) / n_pairs
        left = self._connectome - smooth
        equations = np.block([[np.eye(n) - squared, -np.ones((n, 1))], [spill[None], np.eye(1)]])
        known = np.append(np.diagonal(smooth), (left.sum() - np.trace(left)) / n_pairs)
        # an interpolating fit leaves the diagonal free: the shortest answer is taken
        solution = np.linalg.lstsq(equations, known, rcond=None)[0]
        return self._connectome + np.diag(solution[:-1]), float(solution[-1])

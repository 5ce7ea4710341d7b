"""Kronecker kernel ridge on a block of region pairs.

The value of the pair (i, j) is a smooth function of both regions, with kernel
k(i, i') k(j, j'). With K = U S U^T, the dual weights of all n^2 ordered pairs are
U [(U^T R U) / (s_a s_b + ridge)] U^T: one eigendecomposition of an n x n matrix serves every
ridge, whereas a generic solver would factorise an n^2 x n^2 matrix.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import scipy
import torch

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError

# Tolerance relative to the start of imputation; predictions then agree to about 8 digits
IMPUTATION_TOLERANCE = 1e-10


class KroneckerRidge:
    """Kernel ridge regression of a symmetric matrix on pairs of its regions.

    Parameters
    ----------
    kernel
        (n, n), positive semi-definite kernel between training regions.
    values
        (n, n), symmetric, values to regress; the diagonal is never read.
    impute_diagonal
        True: self-connections are missing; each is replaced by its own prediction, which is
        equivalent to omitting it. False: they are observed as 0.

    References
    ----------
    Stock, Pahikkala, Airola, De Baets & Waegeman (2018), Neural Computation 30(8), 2245:
    two-step and Kronecker kernel ridge regression.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("impute_diagonal", "_basis", "_products", "_rotated")

    def __init__(
        self, kernel: FloatArray, values: FloatArray, *, impute_diagonal: bool = True
    ) -> None:
        self.impute_diagonal = impute_diagonal
        eigenvalues, self._basis = _eigh(kernel)
        # rounding leaves eigenvalues of -1e-15, whose products could cancel a tiny ridge
        eigenvalues = np.maximum(eigenvalues, 0.0)
        self._products = np.outer(eigenvalues, eigenvalues)
        observed = np.array(values, dtype=np.float64)
        np.fill_diagonal(observed, 0.0)
        self._rotated = self._basis.T @ observed @ self._basis

    def dual_weights(self, ridge: float) -> FloatArray:
        """Return the weight of every training pair, (n, n), symmetric."""
        return self._basis @ self._rotated_weights(ridge) @ self._basis.T

    def predict(self, to_training: FloatArray, ridges: Sequence[float]) -> FloatArray:
        """Predict the pairs of some regions for several ridges.

        Parameters
        ----------
        to_training
            (n_regions, n), kernel between the regions and the training regions.
        ridges
            n_ridges positive numbers.

        Returns
        -------
        FloatArray
            (n_ridges, n_regions, n_regions), symmetric.
        """
        projected = to_training @ self._basis
        predicted: FloatArray = np.stack(
            [projected @ self._rotated_weights(ridge) @ projected.T for ridge in ridges]
        )
        predicted += predicted.transpose(0, 2, 1).copy()
        return predicted / 2

    def leave_region_out(self, ridge: float) -> FloatArray:
        """Predict the edges of each training region from a fit without that region.

        In closed form: with H = K x K + ridge, edges omitted from a fit have the residual
        (H^-1 restricted to them)^-1 times their dual weights. All entries (r, j) and (j, r) are
        omitted together; by symmetry they are n unknowns.

        Returns
        -------
        FloatArray
            (n, n), not symmetric; row r holds the edges of region r without r.

        Raises
        ------
        UserError
            If self-connections are imputed, because they depend on the omitted edges.

        References
        ----------
        Stock et al. (2018), Neural Computation 30(8), 2245, section 3 (setting of a new object).
        """
        if self.impute_diagonal:
            raise UserError(
                "leave_region_out in closed form needs observed self-connections; use "
                "diagonal='zero' with a mean function"
            )
        inverse = 1 / (self._products + ridge)
        weights = self.dual_weights(ridge)
        observed = self._basis @ self._rotated @ self._basis.T
        return np.stack(
            [
                observed[region] - np.linalg.solve(self._among(region, inverse), weights[region])
                for region in range(len(weights))
            ]
        )

    def _among(self, region: int, inverse: FloatArray) -> FloatArray:
        """Return H^-1 among the edges of a region, each in both directions, (n, n)."""
        row = self._basis[region]
        same = (self._basis * (row**2 @ inverse)) @ self._basis.T
        turned = self._basis * row
        other = turned @ inverse @ turned.T
        # a self-connection has only one direction
        other[:, region] = 0.0
        return same + other

    def _rotated_weights(self, ridge: float) -> FloatArray:
        weights: FloatArray = self._rotated / (self._products + ridge)
        return self._without_diagonal(weights, ridge) if self.impute_diagonal else weights

    def _without_diagonal(self, weights: FloatArray, ridge: float) -> FloatArray:
        """Impute the diagonal so that the dual weights of self-connections vanish.

        A dual weight is (value - prediction) / ridge: it is 0 exactly if the value equals its own
        prediction. Repeatedly replacing the diagonal by its prediction converges slowly to that
        point; conjugate gradients solve the same linear equations in few steps.
        """
        n = len(weights)

        def diagonal_weights(diagonal: FloatArray) -> FloatArray:
            rotated = (self._basis.T * diagonal) @ self._basis
            return self._diagonal_of(rotated / (self._products + ridge))

        operator = scipy.sparse.linalg.LinearOperator(
            (n, n), matvec=diagonal_weights, dtype=np.float64
        )
        imputed, failed = scipy.sparse.linalg.cg(
            operator, -self._diagonal_of(weights), rtol=IMPUTATION_TOLERANCE, maxiter=20 * n
        )
        if failed:
            raise UserError(
                f"the diagonal could not be imputed with ridge {ridge}; use a larger ridge or "
                "diagonal='zero' with a mean function"
            )
        rotated = (self._basis.T * imputed) @ self._basis
        return weights + rotated / (self._products + ridge)

    def _diagonal_of(self, rotated: FloatArray) -> FloatArray:
        return np.einsum("ia,ia->i", self._basis @ rotated, self._basis)


def _eigh(kernel: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Decompose with torch's routine, a fifth faster than NumPy's and equal up to rounding."""
    try:
        eigenvalues, basis = torch.linalg.eigh(torch.from_numpy(kernel))
    except RuntimeError as error:
        raise np.linalg.LinAlgError(str(error)) from error
    return eigenvalues.numpy(), basis.numpy()


def aligned_weight(first: FloatArray, second: FloatArray, target: FloatArray) -> float:
    """Return the share of the second kernel that maximises the alignment of the weighted sum.

    K(w) = (1 - w) first + w second compares regions, and K(w) x K(w) pairs of regions. Its
    alignment with the target is <T, K T K> / |K|^2, with both kernels centred (Cortes et al. 2012,
    section 2). It is a ratio of two quadratics in w, so the maximum is an end of [0, 1] or a root
    of another quadratic.

    Parameters
    ----------
    first, second
        (n_regions, n_regions) kernels among training regions.
    target
        (n_regions, n_regions) symmetric; its diagonal is not used.

    Returns
    -------
    float
        The share, from 0 to 1; the smallest if several are best, 0 if both kernels are constant.

    References
    ----------
    Cortes, Mohri and Rostamizadeh (2012), Journal of Machine Learning Research 13, 795.
    """
    start = _centred(first)
    change = _centred(second) - start
    edges = target - np.diag(np.diag(target))
    # <T, K T K> = a + 2 b w + c w^2 and |K|^2 = d + 2 e w + f w^2
    from_start, from_change = edges @ start, edges @ change
    a, b, c = (
        float(np.sum(left * right.T))
        for left, right in (
            (from_start, from_start),
            (from_start, from_change),
            (from_change, from_change),
        )
    )
    d, e, f = (
        float(np.sum(left * right))
        for left, right in ((start, start), (start, change), (change, change))
    )
    # points where the slope of their ratio is 0
    roots = np.roots([c * e - b * f, c * d - a * f, b * d - a * e])
    inside = sorted(float(root.real) for root in roots if root.imag == 0 and 0 < root.real < 1)
    weights = np.array([0.0, *inside, 1.0])
    sizes = d + 2 * e * weights + f * weights**2
    agreement = a + 2 * b * weights + c * weights**2
    aligned = np.divide(agreement, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return float(weights[np.argmax(aligned)])


def _centred(kernel: FloatArray) -> FloatArray:
    rows = kernel.mean(axis=0)
    return kernel - rows - rows[:, None] + kernel.mean()

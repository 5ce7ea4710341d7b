"""The bilinear connectome model y_ij = x_i^T O x_j + b, in closed form, on genes or a reduction."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from gx2c.data.brain import FloatArray, Regions
from gx2c.errors import require_choice, require_positive
from gx2c.models.reduction import PCA, PLS, RAW, ExpressionFeatures
from gx2c.models.spec import CLOSED_FORM, ModelSpec

FIXED, GCV = "fixed", "gcv"
ZERO, IMPUTE = "zero", "impute"
# Candidate ridges for generalised cross-validation, relative to the mean eigenvalue
N_RIDGES = 37
LEAST_RIDGE, MOST_RIDGE = 1e-6, 1e3


class BilinearClosedForm:
    """Ridge regression on the outer product of two regions' features, symmetrised.

    Parameters
    ----------
    features
        "raw" expression, "z_scored" per gene, or scores of "pca" or "pls"; all with the statistics
        of training regions.
    n_components
        Number of components of a reduction; unused otherwise. See `gx2c.models.reduction`.
    ridge_rule
        "fixed": use `ridge`. "gcv": choose it by generalised cross-validation on the training
        regions.
    ridge
        Added to the eigenvalues of F^T F.
    diagonal
        "zero": self-connections are observed as 0, as published. "impute": they are missing.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, models `bilinear_CM` and `pls_bilineardecoder`.
    """

    LEARNED: ClassVar[tuple[str, ...]] = (
        "features",
        "_training_features",
        "_weights",
        "_intercept",
    )

    def __init__(
        self,
        *,
        features: str = RAW,
        n_components: float = 10,
        ridge_rule: str = FIXED,
        ridge: float = 0.1,
        diagonal: str = ZERO,
    ) -> None:
        require_choice("ridge_rule", ridge_rule, (FIXED, GCV))
        require_choice("diagonal", diagonal, (ZERO, IMPUTE))
        require_positive("ridge", ridge)
        self.features = ExpressionFeatures(features, n_components=n_components)
        self.ridge_rule, self.ridge = ridge_rule, ridge
        self.diagonal = diagonal

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from training regions; see `Model.fit`."""
        self._training_features = self.features.fit(training, connectome)
        smoother = RegionSmoother(
            self._training_features @ self._training_features.T,
            connectome,
            impute_diagonal=self.diagonal == IMPUTE,
        )
        self.fitted_ridge = smoother.choose_ridge() if self.ridge_rule == GCV else self.ridge
        self._weights, self._intercept = smoother.fit(self.fitted_ridge)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among unseen regions; see `Model.predict`."""
        to_training = self.features.of(regions) @ self._training_features.T
        predicted = to_training @ self._weights @ to_training.T
        return (predicted + predicted.T) / 2 + self._intercept

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the size of O plus 1; see `Model.n_parameters`."""
        return self.features.width(n_genes, n_regions) ** 2 + 1


class RegionSmoother:
    """Ridge regression of a connectome on both ends of each edge, in closed form.

    Parameters
    ----------
    kernel
        (n, n), inner products of the training regions' features.
    connectome
        (n, n), symmetric; its diagonal is never read.
    impute_diagonal
        True: each self-connection is replaced by its own prediction. False: it is 0, as published.

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
        """Return the ridge with the smallest generalised cross-validation score."""
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
        return (self._basis * (self._values / (self._values + ridge))) @ self._basis.T

    def _complete(self, ridge: float) -> tuple[FloatArray, float]:
        """Return the connectome with its diagonal filled in, and the intercept (mean residual)."""
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
        # average contribution of a self-connection to the smooth connectome off the diagonal
        spill = (smoother.sum(axis=0) ** 2 - squared.sum(axis=0)) / n_pairs
        left = self._connectome - smooth
        equations = np.block([[np.eye(n) - squared, -np.ones((n, 1))], [spill[None], np.eye(1)]])
        known = np.append(np.diagonal(smooth), (left.sum() - np.trace(left)) / n_pairs)
        # an interpolating fit does not determine the diagonal: take the solution of smallest norm
        solution = np.linalg.lstsq(equations, known, rcond=None)[0]
        return self._connectome + np.diag(solution[:-1]), float(solution[-1])


_RIDGES = (1e-3, 1e-2, 0.1, 1.0)
BILINEAR_CM = ModelSpec(
    "bilinear_cm",
    BilinearClosedForm,
    CLOSED_FORM,
    summary="Bilinear form on all genes, closed form",
    reference="GeneEx2Conn, NeurIPS 2025; Stock et al. (2018), Neural Computation 30(8), 2245",
    published={"ridge": _RIDGES},
)
SPECS = (
    BILINEAR_CM,
    replace(
        BILINEAR_CM,
        name="bilinear_cm_pca",
        summary="Bilinear form on principal components, closed form",
        fixed={"features": PCA},
        best={"n_components": 27},
        published={"ridge": _RIDGES, "n_components": (27,)},
    ),
    replace(
        BILINEAR_CM,
        name="bilinear_cm_pls",
        summary="Bilinear form on PLS scores, closed form",
        fixed={"features": PLS},
        best={"ridge": 0.01},
        published={"ridge": _RIDGES, "n_components": (5, 10, 12, 25, 30, 50)},
    ),
)

"""The bilinear connectome model y_ij = x_i^T O x_j + b, in closed form, on genes or a reduction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.models.expression_features import PCA, PLS, RAW, ExpressionFeatures
from gx2c.models.keywords import require_choice, require_positive
from gx2c.models.protocol import EXPRESSION, ModelSpec
from gx2c.models.region_smoother import RegionSmoother

FloatArray = NDArray[np.float64]

FIXED, GCV = "fixed", "gcv"
ZERO, IMPUTE = "zero", "impute"


class BilinearClosedForm:
    """Ridge regression on the outer product of two regions' features, symmetrised.

    Parameters
    ----------
    features
        "raw" expression, "z_scored" per gene, or scores of "pca" or "pls"; all with training
        regions' statistics.
    n_components
        Of a reduction; unused otherwise. See `gx2c.models.reduction`.
    ridge_rule
        "fixed": `ridge` is used. "gcv": generalised cross-validation on the training regions
        chooses it.
    ridge
        Added to the eigenvalues of F^T F.
    diagonal
        "zero": self-connections are observed as 0, as published. "impute": they are missing.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, models `bilinear_CM` and `pls_bilineardecoder`.
    """

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
        """Predict the connectome among regions never seen; see `Model.predict`."""
        to_training = self.features.of(regions) @ self._training_features.T
        predicted = to_training @ self._weights @ to_training.T
        symmetric: FloatArray = (predicted + predicted.T) / 2 + self._intercept
        return symmetric

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the size of O, and 1; see `Model.n_parameters`."""
        return self.features.width(n_genes, n_regions) ** 2 + 1


def _on(features: str) -> Any:
    def build(**keywords: Any) -> BilinearClosedForm:
        return BilinearClosedForm(features=features, **keywords)

    return build


_REFERENCE = "GeneEx2Conn, NeurIPS 2025; Stock et al. (2018), Neural Computation 30(8), 2245"
_PUBLISHED = {"ridge_rule": FIXED, "ridge": 0.1, "diagonal": ZERO}

SPECS = (
    ModelSpec(
        name="bilinear_cm",
        kind="closed_form",
        uses=(EXPRESSION,),
        build=BilinearClosedForm,
        summary="Bilinear form on all genes, closed form",
        reference=_REFERENCE,
        defaults={"features": RAW, **_PUBLISHED},
    ),
    ModelSpec(
        name="bilinear_cm_pca",
        kind="closed_form",
        uses=(EXPRESSION,),
        build=_on(PCA),
        summary="Bilinear form on principal components, closed form",
        reference=_REFERENCE,
        defaults={"n_components": 27, **_PUBLISHED},
    ),
    ModelSpec(
        name="bilinear_cm_pls",
        kind="closed_form",
        uses=(EXPRESSION,),
        build=_on(PLS),
        summary="Bilinear form on PLS scores, closed form",
        reference=_REFERENCE,
        defaults={"n_components": 10, "ridge_rule": FIXED, "ridge": 0.01, "diagonal": ZERO},
    ),
)

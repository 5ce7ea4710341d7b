"""Correlated gene expression: regions that express alike are connected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.expression_features import Z_SCORED, ExpressionFeatures
from gx2c.models.protocol import EXPRESSION, ModelSpec

FloatArray = NDArray[np.float64]


class CorrelatedGeneExpression:
    """Pearson correlation of two regions' expression over genes or components.

    Parameters
    ----------
    features
        What is correlated. "raw" expression, in which genes of high variance rule; "z_scored"
        per gene; or "pca", scores of principal components. Statistics are those of training
        regions.
    n_components
        Of "pca"; unused otherwise. See `gx2c.models.reduction.fit_pca`.
    scale_range
        Map predictions linearly, from the range of the training predictions to the range of the
        training edges. Predictions for other regions may leave that range.

    References
    ----------
    Richiardi et al. (2015), Science 348(6240), 1241; Arnatkeviciute et al. (2019), NeuroImage
    189, 353.
    """

    def __init__(
        self, *, features: str = Z_SCORED, n_components: float = 27, scale_range: bool = False
    ) -> None:
        self.features = ExpressionFeatures(features, n_components=n_components)
        self.scale_range = scale_range

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn gene statistics and ranges from training regions; see `Model.fit`.

        Raises
        ------
        UserError
            If there are fewer than 2 genes or components, or if the training predictions are
            all equal and have no range to scale.
        """
        width = self.features.fit(training, connectome).shape[1]
        if width < 2:
            raise UserError(
                f"cge correlates regions over genes or components and got {width}; "
                "give at least 2 genes"
            )
        self._slope, self._intercept = 1.0, 0.0
        if self.scale_range:
            edges = np.triu_indices(len(training), 1)
            self._learn_range(self._correlation(training)[edges], connectome[edges])

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen; see `Model.predict`."""
        return self._slope * self._correlation(regions) + self._intercept

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return a slope and an intercept if the range is mapped; see `Model.n_parameters`."""
        return 2 if self.scale_range else 0

    def _learn_range(self, predicted: FloatArray, measured: FloatArray) -> None:
        if np.ptp(predicted) == 0:
            raise UserError(
                "scale_range needs training predictions that differ, but all pairs of regions "
                "correlate equally; use scale_range=False"
            )
        self._slope = float(np.ptp(measured) / np.ptp(predicted))
        self._intercept = float(measured.min() - self._slope * predicted.min())

    def _correlation(self, regions: Regions) -> FloatArray:
        """Correlate rows, (n_regions, n_regions); a row that is constant gives 0."""
        rows = self.features.of(regions)
        centred = rows - rows.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
        product = unit @ unit.T
        correlation: FloatArray = (product + product.T) / 2
        return correlation


SPECS = (
    ModelSpec(
        name="cge",
        kind="closed_form",
        uses=(EXPRESSION,),
        build=CorrelatedGeneExpression,
        summary="Correlated gene expression",
        reference="Richiardi et al. (2015), Science 348(6240), 1241",
        defaults={"features": Z_SCORED, "scale_range": False},
    ),
)

"""Correlated gene expression: regions with similar expression are predicted to be connected."""

from typing import ClassVar

import numpy as np

from gx2c.data.brain import FloatArray, Regions
from gx2c.errors import UserError
from gx2c.models.reduction import PCA, RAW, Z_SCORED, ExpressionFeatures
from gx2c.models.spec import CLOSED_FORM, ModelSpec


class CorrelatedGeneExpression:
    """Pearson correlation of two regions' expression over genes or components.

    Parameters
    ----------
    features
        The correlated features: "raw" expression, in which genes of high variance dominate;
        "z_scored" per gene; or "pca", scores of principal components. Statistics are those of
        training regions.
    n_components
        Number of components of "pca"; unused otherwise. See `gx2c.models.reduction.fit_pca`.
    scale_range
        Whether to map predictions linearly from the range of the training predictions to that of
        the training edges. Predictions for other regions may exceed that range.

    References
    ----------
    Richiardi et al. (2015), Science 348(6240), 1241; Arnatkeviciute et al. (2019), NeuroImage
    189, 353.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("features", "_slope", "_intercept")

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
            If there are fewer than 2 genes or components, or if the training predictions are all
            equal, so that they have no range.
        """
        width = self.features.fit(training, connectome).shape[1]
        if width < 2:
            raise UserError(
                f"cge correlates regions over genes or components and got {width}; "
                "at least 2 are needed"
            )
        self._slope, self._intercept = 1.0, 0.0
        if self.scale_range:
            edges = np.triu_indices(len(training), 1)
            predicted, measured = self._correlation(training)[edges], connectome[edges]
            if np.ptp(predicted) == 0:
                raise UserError(
                    "scale_range needs training predictions that differ, but all pairs of regions "
                    "have the same correlation; use scale_range=False"
                )
            self._slope = float(np.ptp(measured) / np.ptp(predicted))
            self._intercept = float(measured.min() - self._slope * predicted.min())

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among unseen regions; see `Model.predict`."""
        return self._slope * self._correlation(regions) + self._intercept

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return 2 (slope, intercept) if the range is mapped, else 0; see `Model`."""
        return 2 if self.scale_range else 0

    def _correlation(self, regions: Regions) -> FloatArray:
        """Correlate rows, (n_regions, n_regions); a constant row gives 0."""
        rows = self.features.of(regions)
        centred = rows - rows.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
        product = unit @ unit.T
        return (product + product.T) / 2


SPECS = (
    ModelSpec(
        "cge",
        CorrelatedGeneExpression,
        CLOSED_FORM,
        summary="Correlated gene expression",
        reference="Richiardi et al. (2015), Science 348(6240), 1241",
        published={"scale_range": (True, False), "features": (RAW, PCA), "n_components": (27,)},
    ),
)

"""What a closed-form model sees of expression: raw, z-scored, or reduced on training regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.models.features import Standardiser
from gx2c.models.keywords import require_choice, require_positive
from gx2c.models.reduction import REDUCTIONS, fit_reduction, most_components

FloatArray = NDArray[np.float64]

RAW, Z_SCORED = "raw", "z_scored"
PCA, PLS = REDUCTIONS
FEATURES = (RAW, Z_SCORED, PCA, PLS)


class ExpressionFeatures:
    """Features of regions, learned from training regions alone.

    Parameters
    ----------
    kind
        One of `FEATURES`: "raw" expression, "z_scored" per gene, or scores of "pca" or "pls".
    n_components
        Of a reduction; unused otherwise. See `gx2c.models.reduction`.
    """

    def __init__(self, kind: str, *, n_components: float) -> None:
        require_choice("features", kind, FEATURES)
        require_positive("n_components", n_components)
        self.kind, self.n_components = kind, n_components

    def fit(self, training: Regions, connectome: FloatArray) -> FloatArray:
        """Learn from training regions; return their features, (n_train_regions, n_features)."""
        if self.kind in REDUCTIONS:
            self._reduction = fit_reduction(
                self.kind, training.expression, connectome, n_components=self.n_components
            )
        elif self.kind == Z_SCORED:
            self._standardiser = Standardiser.learn(training.expression)
        return self.of(training)

    def of(self, regions: Regions) -> FloatArray:
        """Return the features of any regions, (n_regions, n_features)."""
        if self.kind in REDUCTIONS:
            return self._reduction.transform(regions.expression)
        if self.kind == Z_SCORED:
            return self._standardiser.apply(regions.expression)
        return regions.expression

    def width(self, n_genes: int, n_regions: int) -> int:
        """Return how many features so many genes and training regions have."""
        if self.kind not in REDUCTIONS:
            return n_genes
        return min(int(self.n_components), most_components(n_regions, n_genes))

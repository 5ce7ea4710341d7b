"""Mean functions: what is explained before a kernel models the residual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import IntArray, Regions
from gx2c.models.features import Standardiser, mirrored_distance
from gx2c.models.keywords import require_positive

FloatArray = NDArray[np.float64]

DECAY_LENGTHS_MM = (5.0, 10.0, 20.0, 40.0, 80.0)
SAME_HEMISPHERE_LENGTH_MM = 20.0


class MeanFunction(Protocol):
    """A simple model of an edge, fitted before the kernel.

    Attributes
    ----------
    n_parameters
        Numbers that it learns.
    """

    n_parameters: int

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from the undirected training edges; see `Model.fit`."""

    def predict(self, regions: Regions) -> FloatArray:
        """Predict all pairs of some regions, (n_regions, n_regions), symmetric."""


class ZeroMean:
    """No mean function."""

    n_parameters = 0

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn nothing."""

    def predict(self, regions: Regions) -> FloatArray:
        """Predict 0 everywhere."""
        return np.zeros((len(regions), len(regions)))


class ConstantMean:
    """The average training edge."""

    n_parameters = 1

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Average the undirected training edges."""
        self._average = float(connectome[np.triu_indices(len(training), 1)].mean())

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the average everywhere."""
        return np.full((len(regions), len(regions)), self._average)


class GeographyMean:
    """Ridge regression of an edge on where its two regions lie.

    The features are exp(-d / l) for l = 5, 10, 20, 40 and 80 mm, of the Euclidean distance and
    of the distance between mirrored coordinates; whether both regions lie in one hemisphere;
    and that times exp(-d / 20 mm). They are standardised over training edges.

    Parameters
    ----------
    ridge
        Penalty, as a fraction of the number of undirected training edges; the intercept is free.
    """

    # a slope for each feature, and the intercept
    n_parameters = 2 * len(DECAY_LENGTHS_MM) + 2 + 1

    def __init__(self, *, ridge: float = 0.01) -> None:
        require_positive("mean_ridge", ridge)
        self.ridge = ridge

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from the undirected training edges."""
        edges = np.triu_indices(len(training), 1)
        features, values = geography_features(training, edges), connectome[edges]
        self._intercept = float(values.mean())
        self._standardiser = Standardiser.learn(features)
        standardised = self._standardiser.apply(features)
        penalty = self.ridge * len(values) * np.eye(standardised.shape[1])
        self._slopes = np.linalg.solve(
            standardised.T @ standardised + penalty, standardised.T @ (values - self._intercept)
        )

    def predict(self, regions: Regions) -> FloatArray:
        """Predict all pairs of some regions, (n_regions, n_regions), symmetric."""
        pairs = np.triu_indices(len(regions))
        features = self._standardiser.apply(geography_features(regions, pairs))
        predicted: FloatArray = np.empty((len(regions), len(regions)))
        predicted[pairs] = features @ self._slopes + self._intercept
        predicted.T[pairs] = predicted[pairs]
        return predicted


def geography_features(regions: Regions, pairs: tuple[IntArray, IntArray]) -> FloatArray:
    """Describe where the regions of some pairs lie, (n_pairs, 12)."""
    distance = scipy.spatial.distance.cdist(regions.coords_mm, regions.coords_mm)[pairs]
    folded = mirrored_distance(regions.coords_mm, regions.coords_mm)[pairs]
    first, second = (regions.hemisphere[ends] for ends in pairs)
    same_hemisphere = (first == second).astype(np.float64)
    decays = [np.exp(-d / length) for d in (distance, folded) for length in DECAY_LENGTHS_MM]
    near = same_hemisphere * np.exp(-distance / SAME_HEMISPHERE_LENGTH_MM)
    return np.stack([*decays, same_hemisphere, near], axis=-1)


MEAN_FUNCTIONS: dict[str, Callable[[float], MeanFunction]] = {
    "none": lambda ridge: ZeroMean(),
    "constant": lambda ridge: ConstantMean(),
    "geography": lambda ridge: GeographyMean(ridge=ridge),
}

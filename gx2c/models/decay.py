"""Rules of distance alone: connectivity decays between mirrored coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.features import mirrored_distance
from gx2c.models.protocol import COORDINATES, PAIR_DISTANCE, ModelSpec

FloatArray = NDArray[np.float64]

FLOOR_BOUNDS = (-1.0, 1.0)
# the published bounds start at 0 mm, where the curve is undefined
LENGTH_BOUNDS_MM = (1e-6, 100.0)
SIGMA_BOUNDS_MM = (10.0, 40.0)
MAX_EVALUATIONS = 10_000


def exponential_curve(distance_mm: FloatArray, floor: float, length_mm: float) -> FloatArray:
    """Return floor + (1 - floor) exp(-d / length)."""
    return floor + (1 - floor) * np.exp(-distance_mm / length_mm)


def gaussian_curve(distance_mm: FloatArray, sigma_mm: float) -> FloatArray:
    """Return exp(-d^2 / (2 sigma^2))."""
    curve: FloatArray = np.exp(-(distance_mm**2) / (2 * sigma_mm**2))
    return curve


class ExponentialDecay:
    """y = floor + (1 - floor) exp(-d / length), d between mirrored coordinates.

    Both parameters are fitted to the undirected training edges by least squares, within the
    published bounds: floor in [-1, 1], length up to 100 mm, starting from 0 and 10 mm.

    References
    ----------
    Ercsey-Ravasz et al. (2013), Neuron 80(1), 184 (the exponential distance rule); parameters
    as in GeneEx2Conn, NeurIPS 2025.
    """

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn `floor` and `length_mm` from training regions; see `Model.fit`."""
        lower, upper = zip(FLOOR_BOUNDS, LENGTH_BOUNDS_MM, strict=True)
        self.floor, self.length_mm = _fit_curve(
            exponential_curve, training, connectome, start=(0.0, 10.0), bounds=(lower, upper)
        )

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen; see `Model.predict`."""
        distance = mirrored_distance(regions.coords_mm, regions.coords_mm)
        return exponential_curve(distance, self.floor, self.length_mm)

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return 2, floor and length; see `Model.n_parameters`."""
        return 2


class GaussianKernel:
    """y = exp(-d^2 / (2 sigma^2)), d between mirrored coordinates.

    Sigma is fitted to the undirected training edges by least squares, within the published
    bounds of 10 to 40 mm, starting from the standard deviation of the training distances.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `gaussian_kernel`.
    """

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn `sigma_mm` from training regions; see `Model.fit`."""
        spread = float(np.std(_training_distance(training)))
        (self.sigma_mm,) = _fit_curve(
            gaussian_curve,
            training,
            connectome,
            start=(float(np.clip(spread, *SIGMA_BOUNDS_MM)),),
            bounds=SIGMA_BOUNDS_MM,
        )

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen; see `Model.predict`."""
        distance = mirrored_distance(regions.coords_mm, regions.coords_mm)
        return gaussian_curve(distance, self.sigma_mm)

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return 1, sigma; see `Model.n_parameters`."""
        return 1


def _training_distance(training: Regions) -> FloatArray:
    edges = np.triu_indices(len(training), 1)
    return mirrored_distance(training.coords_mm, training.coords_mm)[edges]


def _fit_curve(
    curve: Callable[..., FloatArray],
    training: Regions,
    connectome: FloatArray,
    *,
    start: tuple[float, ...],
    bounds: Any,
) -> tuple[float, ...]:
    """Fit a curve of distance to the undirected training edges by least squares."""
    edge_values = connectome[np.triu_indices(len(training), 1)]
    try:
        fitted = scipy.optimize.curve_fit(
            curve,
            _training_distance(training),
            edge_values,
            p0=start,
            bounds=bounds,
            max_nfev=MAX_EVALUATIONS,
        )[0]
    except RuntimeError as error:
        raise UserError(
            f"no {curve.__name__} fits the {len(edge_values)} training edges: {error}"
        ) from error
    return tuple(float(parameter) for parameter in fitted)


SPECS = (
    ModelSpec(
        name="exponential_decay",
        kind="closed_form",
        uses=(COORDINATES, PAIR_DISTANCE),
        build=ExponentialDecay,
        summary="Exponential decay with mirrored distance",
        reference="Ercsey-Ravasz et al. (2013), Neuron 80(1), 184; GeneEx2Conn, NeurIPS 2025",
    ),
    ModelSpec(
        name="gaussian_kernel",
        kind="closed_form",
        uses=(COORDINATES, PAIR_DISTANCE),
        build=GaussianKernel,
        summary="Gaussian decay with mirrored distance",
        reference="GeneEx2Conn, NeurIPS 2025",
    ),
)

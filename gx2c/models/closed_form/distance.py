"""Rules of location: decay with distance, and the mean functions whose residual a kernel models."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.errors import UserError, require_positive
from gx2c.models.features import Standardiser, mirrored_distance
from gx2c.models.spec import CLOSED_FORM, COORDINATES, PAIR_DISTANCE, ModelSpec

MAX_EVALUATIONS = 10_000
DECAY_LENGTHS_MM = (5.0, 10.0, 20.0, 40.0, 80.0)
SAME_HEMISPHERE_LENGTH_MM = 20.0


class DecayRule:
    """A curve of the distance between mirrored coordinates, fitted by least squares.

    Parameters
    ----------
    curve
        Distance in mm, and the numbers to learn -> edges.
    bounds
        Smallest and largest value of each number to learn.
    start
        Value of each number at which the search starts; None for the standard deviation of the
        training distances, moved into the bounds.

    Attributes
    ----------
    fitted
        Learned numbers, in the order of the curve's arguments, after `fit`.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("fitted",)

    def __init__(
        self,
        curve: Callable[..., FloatArray],
        bounds: tuple[tuple[float, ...], tuple[float, ...]],
        start: tuple[float, ...] | None,
    ) -> None:
        self.curve, self.bounds, self.start = curve, bounds, start

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from the undirected training edges; see `Model.fit`."""
        edges = np.triu_indices(len(training), 1)
        distance = mirrored_distance(training.coords_mm, training.coords_mm)[edges]
        start = self.start or tuple(np.clip(np.std(distance), *self.bounds))
        settings = {"p0": start, "bounds": self.bounds, "max_nfev": MAX_EVALUATIONS}
        try:
            found = scipy.optimize.curve_fit(self.curve, distance, connectome[edges], **settings)[0]
        except RuntimeError as error:
            raise UserError(
                f"no {self.curve.__name__} fits the {len(distance)} training edges: {error}"
            ) from error
        self.fitted = tuple(float(number) for number in found)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among unseen regions; see `Model.predict`."""
        distance = mirrored_distance(regions.coords_mm, regions.coords_mm)
        return self.curve(distance, *self.fitted)

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return how many numbers the curve has; see `Model.n_parameters`."""
        return len(self.bounds[0])


def exponential_curve(distance_mm: FloatArray, floor: float, length_mm: float) -> FloatArray:
    """Return floor + (1 - floor) exp(-d / length)."""
    return floor + (1 - floor) * np.exp(-distance_mm / length_mm)


def gaussian_curve(distance_mm: FloatArray, sigma_mm: float) -> FloatArray:
    """Return exp(-d^2 / (2 sigma^2))."""
    return np.exp(-(distance_mm**2) / (2 * sigma_mm**2))


def exponential_decay() -> DecayRule:
    """Make the exponential distance rule, with the published bounds and start.

    The floor is in [-1, 1] and the length up to 100 mm, starting from 0 and 10 mm.

    References
    ----------
    Ercsey-Ravasz et al. (2013), Neuron 80(1), 184; parameters as in GeneEx2Conn, NeurIPS 2025.
    """
    # the published length starts at 0 mm, where the curve is undefined
    return DecayRule(exponential_curve, ((-1.0, 1e-6), (1.0, 100.0)), start=(0.0, 10.0))


def gaussian_kernel() -> DecayRule:
    """Make Gaussian decay, sigma within the published 10 to 40 mm.

    The search starts from the standard deviation of the training distances.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `gaussian_kernel`.
    """
    return DecayRule(gaussian_curve, ((10.0,), (40.0,)), start=None)


class ZeroMean:
    """No mean function: 0 everywhere. Others, fitted before the kernel, derive from it.

    Attributes
    ----------
    n_parameters
        Number of learned parameters.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ()

    n_parameters = 0

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from the undirected training edges; see `Model.fit`."""

    def predict(self, regions: Regions) -> FloatArray:
        """Predict all pairs of some regions, (n_regions, n_regions), symmetric."""
        return np.zeros((len(regions), len(regions)))


class ConstantMean(ZeroMean):
    """The average training edge."""

    LEARNED: ClassVar[tuple[str, ...]] = ("_average",)

    n_parameters = 1

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Average the undirected training edges."""
        self._average = float(connectome[np.triu_indices(len(training), 1)].mean())

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the average everywhere, (n_regions, n_regions)."""
        return np.full((len(regions), len(regions)), self._average)


class GeographyMean(ZeroMean):
    """Ridge regression of an edge on the locations of its two regions.

    The features are exp(-d / l) for l = 5, 10, 20, 40 and 80 mm, of the Euclidean distance and
    of the distance between mirrored coordinates; whether both regions lie in one hemisphere;
    and that times exp(-d / 20 mm). They are standardised over training edges.

    Parameters
    ----------
    ridge
        Penalty, as a fraction of the number of undirected training edges; the intercept is not
        penalised.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("_standardiser", "_slopes", "_intercept")

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
    """Return location features of pairs of regions, (n_pairs, 12)."""
    distance = scipy.spatial.distance.cdist(regions.coords_mm, regions.coords_mm)[pairs]
    folded = mirrored_distance(regions.coords_mm, regions.coords_mm)[pairs]
    first, second = (regions.hemisphere[ends] for ends in pairs)
    same_hemisphere = (first == second).astype(np.float64)
    decays = [np.exp(-d / length) for d in (distance, folded) for length in DECAY_LENGTHS_MM]
    near = same_hemisphere * np.exp(-distance / SAME_HEMISPHERE_LENGTH_MM)
    return np.stack([*decays, same_hemisphere, near], axis=-1)


MEAN_FUNCTIONS: dict[str, Callable[[float], ZeroMean]] = {
    "none": lambda ridge: ZeroMean(),
    "constant": lambda ridge: ConstantMean(),
    "geography": lambda ridge: GeographyMean(ridge=ridge),
}

SPECS = (
    ModelSpec(
        "exponential_decay",
        exponential_decay,
        CLOSED_FORM,
        summary="Exponential decay with mirrored distance",
        reference="Ercsey-Ravasz et al. (2013), Neuron 80(1), 184; GeneEx2Conn, NeurIPS 2025",
        uses=(COORDINATES, PAIR_DISTANCE),
    ),
    ModelSpec(
        "gaussian_kernel",
        gaussian_kernel,
        CLOSED_FORM,
        summary="Gaussian decay with mirrored distance",
        reference="GeneEx2Conn, NeurIPS 2025",
        uses=(COORDINATES, PAIR_DISTANCE),
    ),
)

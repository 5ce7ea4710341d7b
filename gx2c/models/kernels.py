"""Kernels between regions: how alike two regions are by their expression or their place.

A `RegionKernel` learns everything it needs (standardisation, length scale) from training regions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.features import Standardiser, mirrored
from gx2c.models.keywords import require_choice, require_positive

FloatArray = NDArray[np.float64]


class Kernel(Protocol):
    """A positive semi-definite function of two feature vectors."""

    def fit(self, features: FloatArray) -> None:
        """Learn scales from training features, (n_train_regions, n_features)."""

    def between(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare every row of two feature matrices, (n_left, n_right)."""


class RBF:
    """Gaussian kernel exp(-d^2 / (scale * median d^2)), the median over training pairs."""

    def __init__(self, *, scale: float) -> None:
        require_positive("the scale of an rbf kernel", scale)
        self.scale = scale
        self.width = np.nan

    def fit(self, features: FloatArray) -> None:
        """Set the width to `scale` times the median squared distance between training regions."""
        median = float(np.median(pdist(features, "sqeuclidean")))
        if not median > 0:
            raise UserError(
                "an rbf kernel cannot find its length scale: half of all pairs of training "
                "regions have equal features; use kernel 'cosine' or other features"
            )
        self.width = self.scale * median

    def between(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare every row of two feature matrices, (n_left, n_right)."""
        # by the inner product: with 15,000 genes, differences row by row cost 50 times more
        squared = np.add.outer(_squared_length(left), _squared_length(right)) - 2 * left @ right.T
        kernel: FloatArray = np.exp(-np.maximum(squared, 0.0) / self.width)
        return kernel


class CosinePower:
    """Cosine kernel ((1 + cos) / 2)^power; only an integer power is always positive definite."""

    def __init__(self, *, power: int) -> None:
        if power != int(power) or power < 1:
            raise UserError(f"the power of a cosine kernel is {power}; it must be 1, 2, 3, …")
        self.power = int(power)

    def fit(self, features: FloatArray) -> None:
        """Learn nothing: an angle has no scale."""

    def between(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare every row of two feature matrices, (n_left, n_right)."""
        length = np.sqrt(np.multiply.outer(_squared_length(left), _squared_length(right)))
        product = left @ right.T
        # a row of zeros has no direction: it is taken to be at right angles with every other
        cosine = np.divide(product, length, out=np.zeros_like(product), where=length > 0)
        kernel: FloatArray = ((1 + cosine) / 2) ** self.power
        return kernel


class Polynomial:
    """Polynomial kernel (offset + <x, x'> / mean <x, x>)^power, the mean over training regions.

    Parameters
    ----------
    power
        1, 2, 3, …
    offset
        1, or 0 with power 1 for the linear kernel.
    """

    def __init__(self, *, power: int, offset: float = 1.0) -> None:
        if power != int(power) or power < 1:
            raise UserError(f"the power of a polynomial kernel is {power}; it must be 1, 2, 3, …")
        self.power, self.offset = int(power), offset
        self.unit = np.nan

    def fit(self, features: FloatArray) -> None:
        """Set the unit to the mean squared length of training features."""
        self.unit = float(_squared_length(features).mean())
        if not self.unit > 0:
            raise UserError(
                "a linear or polynomial kernel needs features that differ between training "
                "regions; use other features"
            )

    def between(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare every row of two feature matrices, (n_left, n_right)."""
        kernel: FloatArray = (self.offset + left @ right.T / self.unit) ** self.power
        return kernel


def _squared_length(features: FloatArray) -> FloatArray:
    squared: FloatArray = np.einsum("ij,ij->i", features, features)
    return squared


KERNELS: dict[str, Callable[[float, int], Kernel]] = {
    "rbf": lambda scale, power: RBF(scale=scale),
    "cosine": lambda scale, power: CosinePower(power=power),
    "linear": lambda scale, power: Polynomial(power=1, offset=0.0),
    "polynomial": lambda scale, power: Polynomial(power=power),
}
NO_KERNEL = "none"
# How expression is prepared -> whether each gene is scaled to unit variance in training
EXPRESSION_SCALINGS = {"centre": False, "z-score": True}


class RegionKernel:
    """A kernel on features of regions, all of it learned from training regions.

    Parameters
    ----------
    kernel
        Compares feature vectors.
    raw_features
        Regions -> (n_regions, n_features).
    unit_variance
        Scale each feature to unit variance in training; coordinates are only centred, because
        their three axes share one unit.
    key
        Equal for two kernels that are the same function of the same regions.
    """

    def __init__(
        self,
        kernel: Kernel,
        raw_features: Callable[[Regions], FloatArray],
        *,
        unit_variance: bool,
        key: tuple[object, ...],
    ) -> None:
        self.key = key
        self.kernel = kernel
        self.raw_features = raw_features
        self.unit_variance = unit_variance

    def fit(self, training: Regions) -> FloatArray:
        """Learn from training regions; return their kernel, (n_train_regions, n_train_regions)."""
        raw = self.raw_features(training)
        learned = Standardiser.learn(raw)
        self._standardiser = (
            learned if self.unit_variance else Standardiser(learned.mean, np.ones(raw.shape[1]))
        )
        self._training_features = self._standardiser.apply(raw)
        self.kernel.fit(self._training_features)
        return self.kernel.between(self._training_features, self._training_features)

    def to_training(self, regions: Regions) -> FloatArray:
        """Compare regions with the training regions, (n_regions, n_train_regions)."""
        features = self._standardiser.apply(self.raw_features(regions))
        return self.kernel.between(features, self._training_features)


def expression_kernel(
    name: str, *, scale: float, power: int, scaling: str = "centre"
) -> RegionKernel:
    """Build a kernel on expression; `name` is in `KERNELS`, `scaling` in `EXPRESSION_SCALINGS`."""
    require_choice("expression_kernel", name, [*KERNELS, NO_KERNEL])
    require_choice("expression_scaling", scaling, EXPRESSION_SCALINGS)
    return RegionKernel(
        KERNELS[name](scale, power),
        lambda r: r.expression,
        unit_variance=EXPRESSION_SCALINGS[scaling],
        key=("expression", name, _shape(name, scale, power), scaling),
    )


def coordinate_kernel(name: str, *, scale: float, power: int, fold: bool) -> RegionKernel:
    """Build a kernel on coordinates in mm, on (|x|, y, z) if `fold`."""
    require_choice("coordinate_kernel", name, [*KERNELS, NO_KERNEL])
    return RegionKernel(
        KERNELS[name](scale, power),
        lambda r: mirrored(r.coords_mm) if fold else r.coords_mm,
        unit_variance=False,
        key=("coordinates", name, _shape(name, scale, power), fold),
    )


def _shape(name: str, scale: float, power: int) -> float:
    """Return the one of two settings that a kernel reads; 0 for the linear one, which has none."""
    return {"rbf": scale, "linear": 0.0}.get(name, power)

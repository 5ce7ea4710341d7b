"""Kernels between regions: similarity of two regions in expression or location.

A `RegionKernel` learns its standardisation and length scale from training regions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Self

import numpy as np

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.data.sides import mirrored
from gx2c.errors import UserError, require_choice, require_positive
from gx2c.models.features import Standardiser

# Below this share of the mean squared length, the median squared distance is rounding
NO_DISTANCE = 1e-12


class Kernel:
    """A positive semi-definite function of two feature vectors, through their inner products.

    For 15,000 genes, differences row by row would cost fifty times more.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ()

    def fit(self, features: FloatArray) -> None:
        """Learn scales from training features, (n_train_regions, n_features)."""
        self.fit_products(features @ features.T, _squared_length(features))

    def between(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare every row of two feature matrices, (n_left, n_right)."""
        return self.of(left @ right.T, _squared_length(left), _squared_length(right))

    def fit_products(self, products: FloatArray, squared: FloatArray) -> None:
        """Learn scales from training features' inner products (n, n) and squared lengths (n,)."""

    def of(self, products: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare by inner products (n_left, n_right) and the squared lengths of both sides."""
        raise NotImplementedError


class RBF(Kernel):
    """Gaussian kernel exp(-d^2 / (scale * median d^2)), the median over training pairs."""

    LEARNED: ClassVar[tuple[str, ...]] = ("width",)

    def __init__(self, *, scale: float) -> None:
        require_positive("the scale of an rbf kernel", scale)
        self.scale = scale
        self.width = np.nan

    def fit_products(self, products: FloatArray, squared: FloatArray) -> None:
        """Set the width to `scale` times the median squared distance between training regions."""
        pairs = np.triu_indices(len(products), 1)
        median = float(np.median(_squared_distance(products, squared, squared)[pairs]))
        if not median > NO_DISTANCE * squared.mean():
            raise UserError(
                "an rbf kernel cannot find its length scale: half of all pairs of training "
                "regions have equal features; use kernel 'cosine' or other features"
            )
        self.width = self.scale * median

    def of(self, products: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare by inner products (n_left, n_right) and the squared lengths of both sides."""
        return np.exp(-_squared_distance(products, left, right) / self.width)


class CosinePower(Kernel):
    """Cosine kernel ((1 + cos) / 2)^power; only integer powers are always positive definite."""

    def __init__(self, *, power: int) -> None:
        self.power = _checked_power("cosine", power)

    def of(self, products: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare by inner products (n_left, n_right) and the squared lengths of both sides."""
        # a row of zeros has no direction: it counts as orthogonal to every other
        of_left, of_right = _inverse_root(left), _inverse_root(right)
        cosine = products * of_left[:, None] * of_right
        return _to_power((1 + cosine) / 2, self.power)


class Polynomial(Kernel):
    """Polynomial kernel (offset + <x, x'> / mean <x, x>)^power, the mean over training regions.

    With offset 0 and power 1 it is the linear kernel.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("unit",)

    def __init__(self, *, power: int, offset: float = 1.0) -> None:
        self.power, self.offset = _checked_power("polynomial", power), offset
        self.unit = np.nan

    def fit_products(self, products: FloatArray, squared: FloatArray) -> None:
        """Set the unit to the mean squared length of training features."""
        self.unit = float(squared.mean())
        if not self.unit > 0:
            raise UserError(
                "a linear or polynomial kernel needs features that differ between training "
                "regions; use other features"
            )

    def of(self, products: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
        """Compare by inner products (n_left, n_right) and the squared lengths of both sides."""
        return _to_power(self.offset + products / self.unit, self.power)


def _squared_length(features: FloatArray) -> FloatArray:
    return np.einsum("ij,ij->i", features, features)


def _squared_distance(products: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    return np.maximum(np.add.outer(left, right) - 2 * products, 0.0)


def _checked_power(kind: str, power: int) -> int:
    if power != int(power) or power < 1:
        raise UserError(f"the power of a {kind} kernel is {power}; it must be 1, 2, 3, …")
    return int(power)


def _inverse_root(squared: FloatArray) -> FloatArray:
    inverse: FloatArray = np.zeros_like(squared)
    np.divide(1.0, np.sqrt(squared), out=inverse, where=squared > 0)
    return inverse


def _to_power(base: FloatArray, power: int) -> FloatArray:
    """Raise to 1, 2, 3, … by multiplication, which is faster than `**`."""
    product = base.copy()
    for _ in range(power - 1):
        product *= base
    return product


KERNELS: dict[str, Callable[[float, int], Kernel]] = {
    "rbf": lambda scale, power: RBF(scale=scale),
    "cosine": lambda scale, power: CosinePower(power=power),
    "linear": lambda scale, power: Polynomial(power=1, offset=0.0),
    "polynomial": lambda scale, power: Polynomial(power=power),
}
NO_KERNEL = "none"
# Scaling of expression -> whether each gene is scaled to unit variance in training
EXPRESSION_SCALINGS = {"centre": False, "z-score": True}


@dataclass(frozen=True)
class CentredProducts:
    """Inner products of features centred on the mean of training regions.

    Attributes
    ----------
    among
        (n_train, n_train), among training regions.
    to_training
        (n_test, n_train), from test to training regions.
    training_lengths, test_lengths
        (n_train,) and (n_test,), squared lengths.
    """

    among: FloatArray
    to_training: FloatArray
    training_lengths: FloatArray
    test_lengths: FloatArray

    @classmethod
    def cut(cls, products: FloatArray, train: IntArray, test: IntArray) -> Self:
        """Centre the inner products of all regions, (n_regions, n_regions), on training regions."""
        to_training = products[:, train]
        along = to_training.mean(axis=1)
        mean = along[train]
        to_training = to_training - along[:, None] - (mean - mean.mean())
        lengths = products.diagonal() - 2 * along + mean.mean()
        # for a region at the mean only rounding remains, which a cosine would turn into an angle
        lengths = np.where(lengths > NO_DISTANCE * np.abs(products.diagonal()).max(), lengths, 0.0)
        return cls(to_training[train], to_training[test], lengths[train], lengths[test])


class RegionKernel:
    """A kernel on features of regions, learned entirely from training regions.

    Parameters
    ----------
    kernel
        Compares feature vectors.
    raw_features
        Regions -> (n_regions, n_features).
    unit_variance
        Whether to scale each feature to unit variance in training; coordinates are only centred,
        because their three axes share one unit.
    key
        Equal for two kernels that are the same function of the same regions.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("kernel", "_standardiser", "_training_features")

    def __init__(
        self,
        kernel: Kernel,
        raw_features: Callable[[Regions], FloatArray],
        *,
        unit_variance: bool,
        key: tuple[object, ...],
    ) -> None:
        self.kernel, self.raw_features, self.key = kernel, raw_features, key
        self.learn = Standardiser.learn if unit_variance else Standardiser.centre

    def fit(self, training: Regions) -> FloatArray:
        """Learn from training regions; return their kernel, (n_train_regions, n_train_regions)."""
        raw = self.raw_features(training)
        self._standardiser = self.learn(raw)
        self._training_features = self._standardiser.apply(raw)
        self.kernel.fit(self._training_features)
        return self.kernel.between(self._training_features, self._training_features)

    def to_training(self, regions: Regions) -> FloatArray:
        """Compare regions with the training regions, (n_regions, n_train_regions)."""
        features = self._standardiser.apply(self.raw_features(regions))
        return self.kernel.between(features, self._training_features)

    def from_products(self, products: CentredProducts) -> tuple[FloatArray, FloatArray]:
        """Return the results of `fit` and `to_training` for centred, unscaled features."""
        own, theirs = products.training_lengths, products.test_lengths
        self.kernel.fit_products(products.among, own)
        return (
            self.kernel.of(products.among, own, own),
            self.kernel.of(products.to_training, theirs, own),
        )


def expression_kernel(
    name: str, *, scale: float, power: int, scaling: str = "centre"
) -> RegionKernel | None:
    """Build a kernel on expression, one of `KERNELS`, or None for `NO_KERNEL`."""
    require_choice("expression_kernel", name, [*KERNELS, NO_KERNEL])
    require_choice("expression_scaling", scaling, EXPRESSION_SCALINGS)
    if name == NO_KERNEL:
        return None
    return RegionKernel(
        KERNELS[name](scale, power),
        attrgetter("expression"),
        unit_variance=EXPRESSION_SCALINGS[scaling],
        key=("expression", name, _shape(name, scale, power), scaling),
    )


def coordinate_kernel(name: str, *, scale: float, power: int, fold: bool) -> RegionKernel | None:
    """Build a kernel on coordinates in mm, on (|x|, y, z) if `fold`, or None for `NO_KERNEL`."""
    require_choice("coordinate_kernel", name, [*KERNELS, NO_KERNEL])
    if name == NO_KERNEL:
        return None
    return RegionKernel(
        KERNELS[name](scale, power),
        _mirrored_coords if fold else attrgetter("coords_mm"),
        unit_variance=False,
        key=("coordinates", name, _shape(name, scale, power), fold),
    )


def _mirrored_coords(regions: Regions) -> FloatArray:
    return mirrored(regions.coords_mm)


def _shape(name: str, scale: float, power: int) -> float:
    """Return the setting that a kernel reads, scale or power; 0 for the linear one."""
    return {"rbf": scale, "linear": 0.0}.get(name, power)

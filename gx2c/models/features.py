"""Features of regions, standardised with training regions' statistics alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy  # its parts load on first use: a worker that trains networks needs none

from gx2c.data.brain import FloatArray
from gx2c.data.sides import mirrored


def same_distances(rows: FloatArray) -> FloatArray:
    """Rotate centred rows onto the axes that they span.

    Inner products between rows, centred on the mean of any subset of rows, are unchanged, and so is
    a kernel of such products.

    Parameters
    ----------
    rows
        (n_rows, n_columns).

    Returns
    -------
    FloatArray
        (n_rows, min(n_rows, n_columns)).
    """
    centred: FloatArray = rows - rows.mean(axis=0)
    if centred.shape[1] <= len(centred):
        return centred
    squares, axes = np.linalg.eigh(centred @ centred.T)
    return axes * np.sqrt(np.maximum(squares, 0.0))


# A column that varies less than this, relative to its size, only varies by rounding
CONSTANT_COLUMN = 1e-10


def mirrored_distance(left_mm: FloatArray, right_mm: FloatArray) -> FloatArray:
    """Euclidean distance between mirrored coordinates, (n_left, n_right), mm."""
    return scipy.spatial.distance.cdist(mirrored(left_mm), mirrored(right_mm))


@dataclass(frozen=True)
class Standardiser:
    """Column means and inverse standard deviations of some training rows.

    A column that is constant in training gets weight 0: it carries no information there, and
    division by its tiny deviation would let it dominate other rows.
    """

    mean: FloatArray
    inverse_deviation: FloatArray

    @classmethod
    def learn(cls, rows: FloatArray) -> Self:
        """Learn from training rows, (n_rows, n_columns)."""
        mean = rows.mean(axis=0)
        centred = rows - mean
        deviation = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(rows))
        varies = deviation > CONSTANT_COLUMN * np.abs(mean)
        inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
        return cls(mean, inverse)

    @classmethod
    def centre(cls, rows: FloatArray) -> Self:
        """Learn only means from training rows, (n_rows, n_columns)."""
        return cls(rows.mean(axis=0), np.ones(rows.shape[1]))

    def apply(self, rows: FloatArray) -> FloatArray:
        """Standardise rows (…, n_columns)."""
        return (rows - self.mean) * self.inverse_deviation

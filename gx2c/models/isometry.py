"""Fewer columns with the same distances between rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def same_distances(rows: FloatArray) -> FloatArray:
    """Rotate centred rows onto as few axes as they span.

    Inner products between rows, once any set of rows has been centred on the mean of any other,
    stay what they were: a kernel of such products sees no difference.

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
    reduced: FloatArray = axes * np.sqrt(np.maximum(squares, 0.0))
    return reduced

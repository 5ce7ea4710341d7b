"""Edges by how strong they were measured to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray

STRONG = 0.3


def strength_bands(measured: FloatArray) -> dict[str, NDArray[np.bool_]]:
    """Mark strong negative, weak and strong positive edges; each is in one band.

    A band narrows the range of the measured values, so correlations within one are lower than
    over all edges, and are to be compared between models rather than with the whole.

    Parameters
    ----------
    measured
        (n_edges,), measured values; the prediction has no say in the band.

    Returns
    -------
    dict
        "strong_negative" (below -`STRONG`), "weak" (both limits included), "strong_positive".
    """
    negative, positive = measured < -STRONG, measured > STRONG
    return {
        "strong_negative": negative,
        "weak": ~negative & ~positive,
        "strong_positive": positive,
    }

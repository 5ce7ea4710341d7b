"""Edges by the distance of their ends: short, mid and long."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray

# Thirds of 175 mm, about the length of a brain, as published
SHORT_MM = 175.0 / 3.0
LONG_MM = 350.0 / 3.0


def edge_lengths(coords_mm: FloatArray, edges: tuple[IntArray, IntArray]) -> FloatArray:
    """Return the Euclidean distance between both ends of each edge, (n_edges,), mm.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    edges
        Both ends of each edge, (n_edges,) each.
    """
    lengths: FloatArray = scipy.spatial.distance.cdist(coords_mm, coords_mm)[edges]
    return lengths


def distance_bands(lengths: FloatArray) -> dict[str, NDArray[np.bool_]]:
    """Mark which edges are short, mid and long; each is in one band.

    Parameters
    ----------
    lengths
        (n_edges,), mm.

    Returns
    -------
    dict
        "short" (to `SHORT_MM`, including it), "mid" (to `LONG_MM`, including it), "long".
    """
    short, long = lengths <= SHORT_MM, lengths > LONG_MM
    return {"short": short, "mid": ~short & ~long, "long": long}

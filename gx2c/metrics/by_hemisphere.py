"""Edges within the left hemisphere, within the right, and between the two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import IntArray


def hemisphere_groups(
    hemisphere: IntArray, edges: tuple[IntArray, IntArray]
) -> dict[str, NDArray[np.bool_]]:
    """Mark left, right and inter-hemispheric edges; each is in one group.

    Parameters
    ----------
    hemisphere
        (n_regions,), 0 left, 1 right: as the dataset says, not by the sign of x.
    edges
        Both ends of each edge, (n_edges,) each.

    Returns
    -------
    dict
        "left", "right" and "inter_hemisphere".
    """
    first, second = hemisphere[edges[0]], hemisphere[edges[1]]
    return {
        "left": (first == 0) & (second == 0),
        "right": (first == 1) & (second == 1),
        "inter_hemisphere": first != second,
    }

"""The weight of two kernels that best agrees with a connectome, in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def aligned_weight(first: FloatArray, second: FloatArray, target: FloatArray) -> float:
    """Return the share of the second kernel whose weighted sum is best aligned with a target.

    K(w) = (1 - w) first + w second compares regions, and K(w) x K(w) pairs of them. The weight
    maximises the alignment of that with the target, <T, K T K> / |K|^2, for both kernels centred
    (Cortes et al. 2012, section 2). It is a ratio of two quadratics in w: the best is an end or a
    root of one more quadratic.

    Parameters
    ----------
    first, second
        (n_regions, n_regions) kernels among training regions.
    target
        (n_regions, n_regions) symmetric; its diagonal is not used.

    Returns
    -------
    float
        From 0 to 1; the smallest of equals, 0 if neither kernel tells two regions apart.

    References
    ----------
    Cortes, Mohri and Rostamizadeh (2012), Journal of Machine Learning Research 13, 795.
    """
    start = _centred(first)
    change = _centred(second) - start
    edges = target - np.diag(np.diag(target))
    # <T, K T K> = a + 2 b w + c w^2 and |K|^2 = d + 2 e w + f w^2
    from_start, from_change = edges @ start, edges @ change
    a, b, c = (
        float(np.sum(left * right.T))
        for left, right in (
            (from_start, from_start),
            (from_start, from_change),
            (from_change, from_change),
        )
    )
    d, e, f = (
        float(np.sum(left * right))
        for left, right in ((start, start), (start, change), (change, change))
    )
    # where the slope of their ratio is 0
    roots = np.roots([c * e - b * f, c * d - a * f, b * d - a * e])
    inside = sorted(float(root.real) for root in roots if root.imag == 0 and 0 < root.real < 1)
    weights = np.array([0.0, *inside, 1.0])
    sizes = d + 2 * e * weights + f * weights**2
    agreement = a + 2 * b * weights + c * weights**2
    aligned = np.divide(agreement, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return float(weights[np.argmax(aligned)])


def _centred(kernel: FloatArray) -> FloatArray:
    rows = kernel.mean(axis=0)
    centred: FloatArray = kernel - rows - rows[:, None] + kernel.mean()
    return centred

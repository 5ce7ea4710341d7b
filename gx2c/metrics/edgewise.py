"""Scores of predicted against measured edge values, (n_edges,) each.

Those of a binary connectome, in which edges are present or absent, take measured numbers with two
values. An edge is present if it was measured above the midpoint of the two values, and predicted
present if its prediction is. A score whose denominator is 0 is NaN.
"""

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray
from gx2c.data.row_order import mean_ranks

# Far above the rounding of float32 predictions, far below any real difference
RESIDUAL_TOLERANCE = 1e-5
TOP_FRACTION = 0.1


def pearson_r(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the correlation of predicted and measured edge values.

    NaN if either is constant up to rounding: a correlation with a constant is undefined, and any
    substitute would be averaged like a measured value.
    """
    if is_constant(predicted) or is_constant(measured):
        return float("nan")
    return float(np.corrcoef(predicted, measured)[0, 1])


def spearman_r(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the rank correlation, ties sharing their mean rank; NaN as in `pearson_r`."""
    if is_constant(predicted) or is_constant(measured):
        return float("nan")
    return pearson_r(mean_ranks(predicted), mean_ranks(measured))


def r2(predicted: FloatArray, measured: FloatArray) -> float:
    """Return 1 - (squared error / squared deviation from the measured mean).

    At most 1, and negative if the mean of the measured edges predicts better. NaN if the measured
    values are constant.
    """
    if is_constant(measured):
        return float("nan")
    deviation = np.sum((measured - measured.mean()) ** 2)
    return float(1.0 - np.sum((measured - predicted) ** 2) / deviation)


def mse(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the mean squared error."""
    return float(np.mean((measured - predicted) ** 2))


def mae(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the mean absolute error."""
    return float(np.mean(np.abs(measured - predicted)))


def partial_r(predicted: FloatArray, measured: FloatArray, given: FloatArray) -> float:
    """Return the correlation of predicted and measured after regressing a third out of both.

    Given the prediction of the spatial baseline, this is the part of the connectome that the model
    explains and a linear function of the baseline's prediction does not. It can be positive for a
    model with a lower correlation than the baseline but other information. NaN if the prediction
    or the measurement has no residual, as for the baseline itself.
    """
    rests = [_residual(values, given) for values in (predicted, measured)]
    if any(rest is None for rest in rests):
        return float("nan")
    return pearson_r(*[rest for rest in rests if rest is not None])


def top_edge_precision(
    predicted: FloatArray, measured: FloatArray, *, k: int | None = None
) -> float:
    """Return the share of the k edges predicted strongest that are among the k measured strongest.

    Ties for the last places are averaged over all ways to break them, so a constant prediction
    scores k / n_edges, the chance level. By default k is `TOP_FRACTION` of the edges, at least one.
    """
    k = max(1, round(TOP_FRACTION * len(measured))) if k is None else k
    return float(_membership(predicted, k) @ _membership(measured, k) / k)


def is_constant(values: FloatArray) -> bool:
    """Return whether values, (n_edges,), are equal up to rounding."""
    rounding = 8.0 * float(np.finfo(values.dtype).eps)
    return bool(np.ptp(values) <= rounding * np.max(np.abs(values)))


def _residual(values: FloatArray, given: FloatArray) -> FloatArray | None:
    """Remove the mean and the slope on `given`; None if only rounding remains."""
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    other = given.astype(np.float64) - given.mean(dtype=np.float64)
    square = float(other @ other)
    rest = centred - other * (float(other @ centred) / square if square > 0 else 0.0)
    scale = RESIDUAL_TOLERANCE * float(np.linalg.norm(centred))
    return rest if float(np.linalg.norm(rest)) > scale else None


def _membership(values: FloatArray, k: int) -> FloatArray:
    last = np.partition(values, len(values) - k)[len(values) - k]
    above, tied = values > last, values == last
    share = (k - np.count_nonzero(above)) / np.count_nonzero(tied)
    return above + share * tied


def is_binary(connectome: FloatArray) -> bool:
    """Return whether a connectome, (n_regions, n_regions), has two values off its diagonal."""
    return len(np.unique(connectome[~np.eye(len(connectome), dtype=bool)])) == 2


def accuracy(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of edges that are classified correctly."""
    called, present = _called_and_present(predicted, measured)
    return float(np.mean(called == present))


def precision(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of edges predicted present that are present."""
    hits, n_called, _ = _counts(predicted, measured)
    return _ratio(hits, n_called)


def recall(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of present edges that are predicted present."""
    hits, _, n_present = _counts(predicted, measured)
    return _ratio(hits, n_present)


def f1(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the harmonic mean of precision and recall."""
    hits, n_called, n_present = _counts(predicted, measured)
    return _ratio(2 * hits, n_called + n_present)


def auc(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the probability that a present edge is predicted above an absent one (ties: half).

    References
    ----------
    Hanley & McNeil (1982), Radiology 143, 29.
    """
    present = _called_and_present(predicted, measured)[1]
    n_present = int(np.count_nonzero(present))
    ranks = float(mean_ranks(predicted)[present].sum())
    wins = ranks - n_present * (n_present + 1) / 2
    return _ratio(wins, n_present * (len(present) - n_present))


def _counts(predicted: FloatArray, measured: FloatArray) -> tuple[int, int, int]:
    called, present = _called_and_present(predicted, measured)
    hits, n_called, n_present = map(np.count_nonzero, (called & present, called, present))
    return int(hits), int(n_called), int(n_present)


def _called_and_present(
    predicted: FloatArray, measured: FloatArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    midpoint = (float(measured.min()) + float(measured.max())) / 2
    return predicted > midpoint, measured > midpoint


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")

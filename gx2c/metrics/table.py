"""The table of metrics, and the scores of every prediction."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.metrics import edgewise

# Above the rounding of a symmetrised float32 prediction, far below any real asymmetry
SYMMETRY_TOLERANCE = 1e-6


class Metric(NamedTuple):
    """A function of predicted and measured edge values, and how to present it.

    Attributes
    ----------
    compute
        Maps predicted and measured edge values, (n_edges,) each, to a number.
    title
        Name in reports; if empty, the key in the table.
    larger_is_better
        True for a score, False for a loss.
    binary
        Whether it is defined for binary connectomes only.
    headline
        Whether it is the headline score of sweeps and null tests.
    digits
        Number of digits in reports.
    note
        Remark printed after the direction.
    """

    compute: Callable[[FloatArray, FloatArray], float]
    title: str = ""
    larger_is_better: bool = True
    binary: bool = False
    headline: bool = False
    digits: int = 3
    note: str = ""

    @property
    def sign(self) -> float:
        """1 for a score, -1 for a loss: values times `sign` are better when larger."""
        return 1.0 if self.larger_is_better else -1.0


TABLE: dict[str, Metric] = {
    "pearson_r": Metric(edgewise.pearson_r, "Pearson r", headline=True),
    "spearman_r": Metric(edgewise.spearman_r, "Spearman r"),
    "r2": Metric(edgewise.r2, "R²", note="below 0 is worse than the mean"),
    "mse": Metric(edgewise.mse, "mean squared error", larger_is_better=False, digits=4),
    "mae": Metric(edgewise.mae, "mean absolute error", larger_is_better=False, digits=4),
    "accuracy": Metric(edgewise.accuracy, binary=True),
    "precision": Metric(edgewise.precision, binary=True),
    "recall": Metric(edgewise.recall, binary=True),
    "f1": Metric(edgewise.f1, binary=True),
    "auc": Metric(edgewise.auc, binary=True),
}
# For any connectome, and for binary ones only
METRICS = {name: metric for name, metric in TABLE.items() if not metric.binary}
BINARY_METRICS = {name: metric for name, metric in TABLE.items() if metric.binary}
(HEADLINE,) = (name for name, metric in TABLE.items() if metric.headline)


def undirected_edges(n_regions: int) -> tuple[IntArray, IntArray]:
    """Return both ends of every unordered region pair, (n_edges,) each, first < second."""
    first, second = np.triu_indices(n_regions, k=1)
    return first.astype(np.int64), second.astype(np.int64)


def score_edges(
    predicted: FloatArray, measured: FloatArray, *, edges: tuple[IntArray, IntArray] | None = None
) -> dict[str, float]:
    """Score a predicted connectome against the measured one, each unordered pair once.

    Parameters
    ----------
    predicted, measured
        (n_regions, n_regions), symmetric; the diagonals are never read.
    edges
        Both ends of the scored edges, (n_edges,) each, such as `Fold.scored_edges()`; every
        unordered pair if None.

    Returns
    -------
    dict
        One number for each name in `METRICS`; pearson_r and spearman_r of a constant
        prediction are NaN.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 edges, or the measured edges are not finite.
    FloatingPointError
        If the predicted edges are not finite: the model diverged.
    """
    ends = undirected_edges(len(measured)) if edges is None else edges
    if len(ends[0]) < 2:
        raise ValueError(f"{len(measured)} regions have {len(ends[0])} edges; a score needs 2")
    check_matrices(predicted, measured)
    return {
        name: metric.compute(predicted[ends], measured[ends]) for name, metric in METRICS.items()
    }


def better_by(scores: Mapping[str, float], rival: Mapping[str, float]) -> dict[str, float]:
    """Return the gains of some scores over a rival's; positive is better, also for losses."""
    return {name: metric.sign * (scores[name] - rival[name]) for name, metric in METRICS.items()}


def check_matrices(predicted: FloatArray, measured: FloatArray) -> None:
    """Raise the errors of `score_edges` for matrices that cannot be scored."""
    if predicted.shape != measured.shape:
        raise ValueError(f"predicted has shape {predicted.shape}, measured {measured.shape}")
    off_diagonal = ~np.eye(len(measured), dtype=bool)
    if not np.isfinite(measured[off_diagonal]).all():
        raise ValueError("measured edges contain NaN or infinity")
    n_bad = np.count_nonzero(~np.isfinite(predicted[off_diagonal])) // 2
    if n_bad:
        raise FloatingPointError(f"{n_bad} predicted edges are NaN or infinite: the model diverged")
    _assert_symmetric(predicted, "predicted")
    _assert_symmetric(measured, "measured")


def _assert_symmetric(connectome: FloatArray, name: str) -> None:
    first, second = undirected_edges(len(connectome))
    gap = np.max(np.abs(connectome[first, second] - connectome[second, first]))
    scale = max(1.0, float(np.max(np.abs(connectome[first, second]))))
    assert gap <= SYMMETRY_TOLERANCE * scale, f"{name} is asymmetric by {gap:.3g}"

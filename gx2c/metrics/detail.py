"""Scores of one test set beyond `METRICS`, with a reason for each that is undefined.

Groups of edges are scored separately: by distance, strength, hemisphere and network. Each of their
functions takes one property of the edges and returns a mask, (n_edges,), for each group.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray
from gx2c.metrics.comparison import Average, average_values
from gx2c.metrics.edgewise import is_binary, is_constant, partial_r, pearson_r, top_edge_precision
from gx2c.metrics.geodesic import geodesic_distance
from gx2c.metrics.table import BINARY_METRICS, Metric, check_matrices, undirected_edges

# Published as "more than 100 entries" of a vector that holds each edge in both directions
MIN_BAND_EDGES = 51
# Published as 2, whose correlation is 1 or -1; ten have a standard error of a third
MIN_GROUP_EDGES = 10

# Scores of whole matrices, (n_regions, n_regions), rather than of single edges
MATRIX_METRICS = {"geodesic_distance": Metric(geodesic_distance, larger_is_better=False)}

Groups = dict[str, NDArray[np.bool_]]

# Thirds of 175 mm, about the length of a brain, as published
SHORT_MM = 175.0 / 3.0
LONG_MM = 350.0 / 3.0
STRONG = 0.3


def distance_bands(lengths: FloatArray) -> Groups:
    """Mark edges of lengths in mm as short (to `SHORT_MM`), mid (to `LONG_MM`) and long."""
    short, long = lengths <= SHORT_MM, lengths > LONG_MM
    return {"short": short, "mid": ~short & ~long, "long": long}


def strength_bands(measured: FloatArray) -> Groups:
    """Mark edges measured below -`STRONG`, above `STRONG`, and in between (weak).

    A band restricts the range of the measured values, so correlations within a band are lower than
    over all edges: compare them between models, not with the score of all edges.
    """
    negative, positive = measured < -STRONG, measured > STRONG
    return {"strong_negative": negative, "weak": ~negative & ~positive, "strong_positive": positive}


def hemisphere_groups(hemisphere: IntArray, edges: tuple[IntArray, IntArray]) -> Groups:
    """Mark edges within the left hemisphere (0), within the right (1), and between the two.

    The hemisphere, (n_regions,), comes from the dataset and not from the sign of x. Edges of a
    region that lies on both sides (2) are in no group.
    """
    first, second = hemisphere[edges[0]], hemisphere[edges[1]]
    return {
        "left": (first == 0) & (second == 0),
        "right": (first == 1) & (second == 1),
        "inter_hemisphere": first + second == 1,
    }


def network_groups(network: Sequence[str], edges: tuple[IntArray, IntArray]) -> Groups:
    """Mark the edges inside each network and those with exactly one end in it.

    An edge between two networks counts for both, as published. `network` has one name for each
    region; groups follow the order in which the names first appear.
    """
    names = np.array(network, dtype=str)
    groups: Groups = {}
    for name in dict.fromkeys(network):
        first, second = names[edges[0]] == name, names[edges[1]] == name
        groups[f"intra_network_{name}"] = first & second
        groups[f"inter_network_{name}"] = first ^ second
    return groups


@dataclass
class DetailedScores:
    """Scores by name.

    Attributes
    ----------
    values
        A number for each score; NaN where it is undefined.
    reasons
        The reason for each value that is NaN.
    n_edges
        The number of edges of each score, whether defined or not.
    not_asked
        Names whose value is NaN because of the data alone: too few edges, or a constant
        measurement. Any other NaN is a failure of the prediction.
    """

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    n_edges: dict[str, int] = field(default_factory=dict)
    not_asked: set[str] = field(default_factory=set)

    def ask(
        self,
        name: str,
        compute: Callable[[], float],
        measured: FloatArray,
        *,
        least: int = 0,
        constant: bool = False,
        reason: str = "",
    ) -> None:
        """Compute a score if the number and variation of the measured edges allow it.

        `constant` allows measured edges that are all equal; `reason` explains a score that the
        prediction leaves undefined.
        """
        n_edges = self.n_edges[name] = len(measured)
        lacking = ""
        if n_edges < least:
            lacking = f"{n_edges} edges; at least {least} are needed"
        elif not constant and is_constant(measured):
            lacking = "all of these edges have the same measured value"
        value = self.values[name] = float("nan") if lacking else compute()
        if lacking:
            self.not_asked.add(name)
        if math.isnan(value):
            self.reasons[name] = lacking or reason

    def correlate(
        self, name: str, predicted: FloatArray, measured: FloatArray, *, least: int
    ) -> None:
        """Compute the Pearson correlation over some edges."""
        self.ask(
            name,
            lambda: pearson_r(predicted, measured),
            measured,
            least=least,
            reason="the prediction is constant over these edges",
        )


def score_in_detail(
    predicted: FloatArray,
    measured: FloatArray,
    *,
    coords_mm: FloatArray,
    hemisphere: IntArray,
    network: Sequence[str],
    geography: FloatArray | None = None,
    holdout: FloatArray | None = None,
    edges: tuple[IntArray, IntArray] | None = None,
    binary: bool | None = None,
) -> DetailedScores:
    """Score a predicted connectome by groups of edges, given geography, and against noise.

    Every score named `..._r` is a Pearson correlation over unordered pairs, each once.

    Parameters
    ----------
    predicted, measured
        (n_regions, n_regions), symmetric, test regions only. Diagonals are never read.
    coords_mm, hemisphere, network
        Coordinates, hemispheres and networks of the test regions, as in `Brain`.
    geography
        (n_regions, n_regions), prediction of the spatial baseline for the same regions.
    holdout
        (n_regions, n_regions), the connectome of other people.
    edges
        Both ends of the scored edges, such as `Fold.scored_edges()`; all pairs if None.
    binary
        Whether the whole connectome has two values (`is_binary`); if None, whether `measured` has.

    Returns
    -------
    DetailedScores
        "geodesic_distance" (only if all pairs are scored); "short_r", "mid_r", "long_r";
        "strong_negative_r", "weak_r", "strong_positive_r"; "left_r", "right_r",
        "inter_hemisphere_r"; "intra_network_<name>_r" and "inter_network_<name>_r";
        "top_tenth_precision"; with `geography` "partial_r_given_geography"; with `holdout`
        "noise_ceiling_r" (measured and holdout) and "holdout_r" (predicted and holdout); for a
        binary connectome `BINARY_METRICS`.

    Raises
    ------
    ValueError
        If shapes differ or the measured edges are not finite.
    FloatingPointError
        If the predicted edges are not finite: the model diverged.
    """
    check_matrices(predicted, measured)
    ends = undirected_edges(len(measured)) if edges is None else edges
    ours, truth = predicted[ends], measured[ends]
    scores = DetailedScores()
    for name, metric in MATRIX_METRICS.items() if edges is None else ():
        score = partial(metric.compute, predicted, measured)
        scores.ask(name, score, truth, constant=True)
    lengths = scipy.spatial.distance.cdist(coords_mm, coords_mm)[ends]
    bands = distance_bands(lengths) | strength_bands(truth)
    groups = hemisphere_groups(hemisphere, ends) | network_groups(network, ends)
    for kind, least in ((bands, MIN_BAND_EDGES), (groups, MIN_GROUP_EDGES)):
        for name, mask in kind.items():
            scores.correlate(f"{name}_r", ours[mask], truth[mask], least=least)
    top = partial(top_edge_precision, ours, truth)
    scores.ask("top_tenth_precision", top, truth, least=MIN_BAND_EDGES, constant=True)
    if geography is not None:
        scores.ask(
            "partial_r_given_geography",
            partial(partial_r, ours, truth, geography[ends]),
            truth,
            least=MIN_GROUP_EDGES,
            reason="the prediction has no residual given that of the spatial baseline",
        )
    if holdout is not None:
        scores.correlate("noise_ceiling_r", holdout[ends], truth, least=MIN_GROUP_EDGES)
        scores.correlate("holdout_r", ours, holdout[ends], least=MIN_GROUP_EDGES)
    if is_binary(measured) if binary is None else binary:
        for name, metric in BINARY_METRICS.items():
            score = partial(metric.compute, ours, truth)
            scores.ask(name, score, truth, reason="no edge is predicted to be present")
    return scores


def average_details(scores: Sequence[DetailedScores]) -> dict[str, Average]:
    """Average each detailed score over the folds whose data define it.

    A fold with too few edges for a score is omitted, and `n` counts the remaining folds. If a
    prediction leaves the score undefined, the mean is NaN, because omitting that fold would favour
    the model.

    Parameters
    ----------
    scores
        One for each fold; they may differ in the names of networks.
    """
    names = dict.fromkeys(name for fold in scores for name in fold.values)
    return {
        name: average_values(
            [
                fold.values[name]
                for fold in scores
                if name in fold.values and name not in fold.not_asked
            ]
        )
        for name in names
    }

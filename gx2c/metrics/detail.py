"""All scores of one test set beyond the basic five, with a reason for each that is undefined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray
from gx2c.metrics.average import Average, average_values
from gx2c.metrics.binary import classify, is_binary
from gx2c.metrics.by_distance import distance_bands, edge_lengths
from gx2c.metrics.by_hemisphere import hemisphere_groups
from gx2c.metrics.by_network import network_groups
from gx2c.metrics.by_strength import strength_bands
from gx2c.metrics.edgewise import check_matrices, is_constant, pearson_r, undirected_edges
from gx2c.metrics.geodesic import geodesic_distance
from gx2c.metrics.partial import partial_r
from gx2c.metrics.top_edges import top_edge_precision, top_k

# Published as "more than 100 entries" of a vector that holds each edge in both directions
MIN_BAND_EDGES = 51
# Published as 2, whose correlation is 1 or -1; ten have a standard error of a third
MIN_GROUP_EDGES = 10

# All other detailed scores are better when larger
SMALLER_IS_BETTER = frozenset({"geodesic_distance"})


@dataclass(frozen=True)
class DetailedScores:
    """Scores by name.

    Attributes
    ----------
    values
        A number for each score; NaN where it is undefined.
    reasons
        Why a value is NaN, for each that is.
    n_edges
        Over how many edges each score was taken, or would have been.
    not_asked
        Names whose value is NaN because of the data alone: too few edges, a constant
        measurement. The others that are NaN are the prediction's failure.
    """

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    n_edges: dict[str, int] = field(default_factory=dict)
    not_asked: frozenset[str] = frozenset()


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
    """Score a predicted connectome by kinds of edges, beyond geography, and against noise.

    Every score named `..._r` is a Pearson correlation over unordered pairs, each once.

    Parameters
    ----------
    predicted, measured
        (n_regions, n_regions), symmetric; of the test regions only. Diagonals are never read.
    coords_mm, hemisphere, network
        Of the test regions, as in `Brain`.
    geography
        (n_regions, n_regions), what the geography baseline predicted for the same regions.
    holdout
        (n_regions, n_regions), the connectome of other people.
    edges
        Both ends of the edges that count, such as `Fold.scored_edges()`; all pairs if None.
    binary
        Whether the whole connectome has two values (`is_binary`); asked of `measured` if None.

    Returns
    -------
    DetailedScores
        "geodesic_distance" (of all pairs only); "short_r", "mid_r", "long_r";
        "strong_negative_r", "weak_r", "strong_positive_r"; "left_r", "right_r",
        "inter_hemisphere_r"; "intra_network_<name>_r" and "inter_network_<name>_r";
        "top_tenth_precision"; with `geography` "partial_r_given_geography"; with `holdout`
        "noise_ceiling_r" (measured against holdout) and "holdout_r" (predicted against
        holdout); for two values `BINARY_METRICS`.

    Raises
    ------
    ValueError
        If shapes differ or the measured edges are not finite.
    FloatingPointError
        If the predicted edges are not finite: the model diverged.
    """
    check_matrices(predicted, measured)
    ends = undirected_edges(len(measured)) if edges is None else edges
    sheet = _Sheet(predicted[ends], measured[ends])
    if edges is None:
        value = geodesic_distance(predicted, measured)
        sheet.put("geodesic_distance", value, n_edges=len(ends[0]))
    lengths = edge_lengths(coords_mm, ends)
    bands = distance_bands(lengths) | strength_bands(sheet.measured)
    groups = hemisphere_groups(hemisphere, ends) | network_groups(network, ends)
    sheet.correlate(bands, least=MIN_BAND_EDGES)
    sheet.correlate(groups, least=MIN_GROUP_EDGES)
    sheet.find_top()
    if geography is not None:
        sheet.compare_geography(geography[ends])
    if holdout is not None:
        sheet.compare_holdout(holdout[ends])
    if is_binary(measured) if binary is None else binary:
        sheet.classify()
    return DetailedScores(sheet.values, sheet.reasons, sheet.n_edges, frozenset(sheet.not_asked))


def average_details(scores: Sequence[DetailedScores]) -> dict[str, Average]:
    """Average each detailed score over the folds in which it could be asked.

    A fold whose data do not define a score (too few such edges) is left out, and `n` says how
    many folds are left; where the prediction is at fault, the mean is NaN, since leaving that
    fold out would flatter the model.

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


class _Sheet:
    """Collects scores of one set of edges."""

    def __init__(self, predicted: FloatArray, measured: FloatArray) -> None:
        self.predicted, self.measured = predicted, measured
        self.values: dict[str, float] = {}
        self.reasons: dict[str, str] = {}
        self.n_edges: dict[str, int] = {}
        self.not_asked: set[str] = set()

    def put(
        self, name: str, value: float, *, n_edges: int, reason: str = "", not_asked: bool = False
    ) -> None:
        self.values[name], self.n_edges[name] = value, n_edges
        if math.isnan(value):
            self.reasons[name] = reason
            if not_asked:
                self.not_asked.add(name)

    def skip(self, name: str, n_edges: int, reason: str) -> None:
        self.put(name, float("nan"), n_edges=n_edges, reason=reason, not_asked=True)

    def correlate(self, groups: Mapping[str, NDArray[np.bool_]], *, least: int) -> None:
        for name, mask in groups.items():
            self.put_r(f"{name}_r", self.predicted[mask], self.measured[mask], least=least)

    def put_r(self, name: str, predicted: FloatArray, measured: FloatArray, *, least: int) -> None:
        n_edges = len(measured)
        if n_edges < least:
            self.skip(name, n_edges, f"{n_edges} edges; at least {least} are needed")
        elif is_constant(measured):
            self.skip(name, n_edges, "all of these edges were measured equal")
        else:
            reason = "the prediction is constant over these edges"
            self.put(name, pearson_r(predicted, measured), n_edges=n_edges, reason=reason)

    def find_top(self) -> None:
        name, n_edges = "top_tenth_precision", len(self.measured)
        if n_edges < MIN_BAND_EDGES:
            self.skip(name, n_edges, f"{n_edges} edges; at least {MIN_BAND_EDGES} are needed")
            return
        value = top_edge_precision(self.predicted, self.measured, k=top_k(n_edges))
        self.put(name, value, n_edges=n_edges)

    def compare_geography(self, geography: FloatArray) -> None:
        name, n_edges = "partial_r_given_geography", len(self.measured)
        if n_edges < MIN_GROUP_EDGES:
            self.skip(name, n_edges, f"{n_edges} edges; at least {MIN_GROUP_EDGES} are needed")
            return
        if is_constant(self.measured):
            self.skip(name, n_edges, "all of these edges were measured equal")
            return
        value = partial_r(self.predicted, self.measured, geography)
        reason = "nothing is left of the prediction once the geography baseline's is taken out"
        self.put(name, value, n_edges=n_edges, reason=reason)

    def compare_holdout(self, holdout: FloatArray) -> None:
        self.put_r("noise_ceiling_r", holdout, self.measured, least=MIN_GROUP_EDGES)
        self.put_r("holdout_r", self.predicted, holdout, least=MIN_GROUP_EDGES)

    def classify(self) -> None:
        low, high = float(self.measured.min()), float(self.measured.max())
        threshold = (low + high) / 2
        scores = classify(self.predicted, self.measured > threshold, threshold=threshold)
        for name, value in scores.items():
            one_sided = low == high
            reason = (
                "all test edges are alike" if one_sided else "no edge is predicted to be present"
            )
            n_edges = len(self.measured)
            if one_sided:
                self.skip(name, n_edges, reason)
            else:
                self.put(name, value, n_edges=n_edges, reason=reason)

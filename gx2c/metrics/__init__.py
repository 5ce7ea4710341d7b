"""Metrics: how well predicted edges match measured ones."""

from gx2c.metrics.average import Average, average_scores
from gx2c.metrics.binary import BINARY_METRICS, is_binary
from gx2c.metrics.detail import (
    SMALLER_IS_BETTER,
    DetailedScores,
    average_details,
    score_in_detail,
)
from gx2c.metrics.edgewise import METRICS, Metric, score_edges, undirected_edges
from gx2c.metrics.geodesic import geodesic_distance
from gx2c.metrics.paired import CorrectedT, corrected_resampled_t
from gx2c.metrics.partial import partial_r
from gx2c.metrics.top_edges import top_edge_precision

__all__ = [
    "BINARY_METRICS",
    "METRICS",
    "SMALLER_IS_BETTER",
    "Average",
    "CorrectedT",
    "DetailedScores",
    "Metric",
    "average_details",
    "average_scores",
    "corrected_resampled_t",
    "geodesic_distance",
    "is_binary",
    "partial_r",
    "score_edges",
    "score_in_detail",
    "top_edge_precision",
    "undirected_edges",
]

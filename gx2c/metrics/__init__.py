"""Metrics: agreement of predicted and measured edges."""

from gx2c.metrics.comparison import (
    Average,
    CorrectedT,
    average_scores,
    corrected_resampled_t,
    gain_interval,
)
from gx2c.metrics.detail import DetailedScores, average_details, score_in_detail
from gx2c.metrics.edgewise import is_binary, partial_r, top_edge_precision
from gx2c.metrics.geodesic import geodesic_distance
from gx2c.metrics.table import (
    BINARY_METRICS,
    HEADLINE,
    METRICS,
    TABLE,
    Metric,
    better_by,
    score_edges,
    undirected_edges,
)

__all__ = [
    "BINARY_METRICS",
    "HEADLINE",
    "METRICS",
    "TABLE",
    "Average",
    "CorrectedT",
    "DetailedScores",
    "Metric",
    "average_details",
    "average_scores",
    "better_by",
    "corrected_resampled_t",
    "gain_interval",
    "geodesic_distance",
    "is_binary",
    "partial_r",
    "score_edges",
    "score_in_detail",
    "top_edge_precision",
    "undirected_edges",
]

"""Metrics: how well predicted edges match measured ones."""

from gx2c.metrics.average import Average, average_scores
from gx2c.metrics.edgewise import METRICS, Metric, score_edges, undirected_edges

__all__ = ["METRICS", "Average", "Metric", "average_scores", "score_edges", "undirected_edges"]

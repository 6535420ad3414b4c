"""Metrics as pure functions on arrays; each definition stands here once."""

from vps.metrics.table import METRICS, Metric, find_metric, highest_score_name, repaired_name

__all__ = ["METRICS", "Metric", "find_metric", "highest_score_name", "repaired_name"]

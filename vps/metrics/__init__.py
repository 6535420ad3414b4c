"""Metrics as pure functions on arrays; each definition stands here once."""

from vps.metrics.lookup import find_metric
from vps.metrics.measured import Measured
from vps.metrics.metric import Metric
from vps.metrics.names import highest_score_name, repaired_name, success_name
from vps.metrics.table import METRICS

__all__ = [
    "METRICS",
    "Measured",
    "Metric",
    "find_metric",
    "highest_score_name",
    "repaired_name",
    "success_name",
]

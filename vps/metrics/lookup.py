"""Metrics by name, and those that a measured case is asked for."""

from __future__ import annotations

from vps.core.names import choose
from vps.errors import InputError
from vps.metrics.families import METRIC_FAMILIES
from vps.metrics.measured import Measured
from vps.metrics.metric import Metric
from vps.metrics.table import METRICS


def find_metric(name: str) -> Metric:
    """The metric of a name.

    The highest score may have any IoU threshold, the success rate be of any score at any IoU, and
    the repair rate at any share of the image.

    Raises:
        InputError: there is no such metric; the message names the nearest.
    """
    if name in METRICS:
        return METRICS[name]
    family, _, percent = name.rpartition("_")
    if family not in METRIC_FAMILIES:
        return choose(METRICS, name, "metric")
    try:
        return METRIC_FAMILIES[family].member(METRIC_FAMILIES[family].read(percent))
    except ValueError:
        raise InputError(f"metric {name!r} needs {METRIC_FAMILIES[family].wanted}") from None


def family_number(name: str) -> float:
    """The number in the name of a member of a family: 2.5 for "repaired_2.5"."""
    return float(name.rpartition("_")[2])


def metrics_asked(one: Measured) -> dict[str, Metric]:
    """All metrics in order, those of a family at the numbers that the settings ask for.

    Raises:
        InputError: a metric that the table has under another name than its own.
    """
    asked: dict[str, Metric] = {}
    for name, metric in METRICS.items():
        if metric.name != name:
            raise InputError(f"METRICS has {metric.name!r} under {name!r}: it needs its own name")
        members = [metric]
        if metric.family is not None:
            family = METRIC_FAMILIES[metric.family]
            members = [family.member(number) for number in family.asked(one)]
        asked |= {member.name: member for member in members}
    return asked

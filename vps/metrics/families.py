"""Metrics of which there is one for each number that the settings ask for."""

from __future__ import annotations

from functools import partial

from vps.metrics import functions
from vps.metrics.metric import Family, Metric
from vps.metrics.names import (
    HIGHEST,
    REPAIRED,
    SUCCESS,
    Success,
    highest_score_name,
    read_success,
    repaired_name,
    success_name,
)


def highest_score_metric(threshold: float) -> Metric:
    """The highest score at an IoU threshold in [0, 1)."""
    # One of them is enough in a table.
    usual = threshold == 0.5
    return Metric(
        highest_score_name(threshold),
        f"Highest score, IoU > {threshold:g}",
        f"highest class score of the insertion steps whose box has IoU > {threshold:g}",
        partial(functions.highest_above, threshold=threshold),
        higher_is_better=True,
        short="Highest" if usual else "",
        tables="every" if usual else "none",
        family=HIGHEST,
    )


def success_metric(limits: Success) -> Metric:
    """The success rate of a score at an IoU, each in [0, 1)."""
    score, iou = limits
    return Metric(
        success_name(limits),
        f"Success rate, score > {score:g}, IoU > {iou:g}",
        f"share of cases whose highest class score, of the insertion steps whose box has IoU > "
        f"{iou:g}, exceeds {score:g}",
        partial(functions.succeeds, limits=limits),
        higher_is_better=True,
        short=f"Success > {score:g}, IoU > {iou:g}",
        family=SUCCESS,
    )


def repaired_metric(share: float) -> Metric:
    """The repair rate at a share of the image hidden, in [0, 1)."""
    percent = f"{100 * share:g} %"
    title = f"hiding at most {percent}"
    definition = f"that {title} of the image repairs"
    if share == 0:
        title, definition = "hiding nothing", "whose goal is attained with nothing hidden"
    return Metric(
        repaired_name(share),
        f"Repaired, {title}",
        f"share of failures {definition}",
        partial(functions.repaired_within, share=share),
        # With nothing hidden it is a property of the cases, the same for all methods.
        higher_is_better=None if share == 0 else True,
        short=f"\u2264 {percent}",
        tables="repairs",
        family=REPAIRED,
    )


METRIC_FAMILIES: dict[str, Family] = {
    HIGHEST: Family(
        highest_score_metric,
        lambda one: one.settings.highest_ious,
        f"an IoU threshold in percent, as in {highest_score_name(0.5)}",
    ),
    SUCCESS: Family(
        success_metric,
        lambda one: one.settings.success,
        f"a score and an IoU in percent, as in {success_name((0.35, 0.5))}",
        read_success,
    ),
    REPAIRED: Family(
        repaired_metric,
        lambda one: (0, *one.repair_shares),
        f"a share of the image in percent, as in {repaired_name(0.05)}",
    ),
}
"""By what the names of their members begin with, before the number."""

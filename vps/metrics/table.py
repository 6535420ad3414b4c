"""What each metric is called, which way is better, and what it says, for tables and pages."""

from __future__ import annotations

from dataclasses import dataclass

from vps.core.names import choose
from vps.errors import InputError

_HIGHEST, _REPAIRED = "highest_score_", "repaired_"


@dataclass(frozen=True)
class Metric:
    """What people read of a metric.

    Attributes:
        title: for heads and axes.
        higher_is_better: None where neither side is better.
        definition: one line, without a full stop.
        format: of a value, as `format` takes it; "+" may be put before it.
    """

    title: str
    higher_is_better: bool | None
    definition: str
    format: str = ".3f"


def highest_score_name(threshold: float) -> str:
    """The name of the highest score at an IoU threshold: "highest_score_75" for 0.75."""
    return f"{_HIGHEST}{100 * threshold:g}"


def _highest_score(threshold: float) -> Metric:
    return Metric(
        f"Highest score, IoU > {threshold:g}",
        True,
        f"highest class score of the insertion steps whose box has IoU > {threshold:g}",
    )


def repaired_name(share: float) -> str:
    """The name of the repair rate at a share of the image hidden: "repaired_5" for 0.05."""
    return f"{_REPAIRED}{100 * share:g}"


def _repaired(share: float) -> Metric:
    if share == 0:
        # A property of the cases, the same for all methods.
        return Metric(
            "Repaired, hiding nothing",
            None,
            "share of failures whose goal is attained with nothing hidden",
        )
    return Metric(
        f"Repaired, hiding at most {100 * share:g} %",
        True,
        f"share of failures that hiding at most {100 * share:g} % of the image repairs",
    )


METRICS: dict[str, Metric] = {
    "insertion": Metric(
        "Insertion AUC", True, "area under the score s over the share of the area shown"
    ),
    "deletion": Metric(
        "Deletion AUC", False, "area under the score s over the share of the area hidden"
    ),
    "insertion_class": Metric(
        "Insertion AUC, class", True, "the same of the class score of the box that attains s"
    ),
    "deletion_class": Metric(
        "Deletion AUC, class", False, "the same of the class score of the box that attains s"
    ),
    "insertion_iou": Metric(
        "Insertion AUC, IoU", True, "the same of the IoU of the box that attains s"
    ),
    "deletion_iou": Metric(
        "Deletion AUC, IoU", False, "the same of the IoU of the box that attains s"
    ),
    "insertion_normalised": Metric(
        "Insertion AUC, normalised", True, "insertion AUC over the score of the whole image"
    ),
    "deletion_normalised": Metric(
        "Deletion AUC, normalised", False, "deletion AUC over the score of the whole image"
    ),
    **{highest_score_name(threshold): _highest_score(threshold) for threshold in (0.5, 0.75)},
    "success": Metric(
        "Explaining success rate", True, "share of cases whose highest score exceeds a threshold"
    ),
    "pointing": Metric("Pointing game", True, "whether the maximum of the map lies in the box"),
    "energy_pointing": Metric(
        "Energy pointing game", True, "share of the energy of the map that lies in the box"
    ),
    "energy_pointing_mask": Metric(
        "Energy pointing game, mask", True, "share of the energy of the map that lies in the mask"
    ),
    "mu_fidelity": Metric(
        "Mu-fidelity",
        True,
        "rank correlation of score drop and attribution removed over random subsets",
    ),
    "sparsity": Metric("Sparsity", None, "Gini index of the map: 0 if constant, near 1 if a point"),
    "sufficient_area": Metric(
        "Sufficient area",
        False,
        "smallest share of the area that, shown alone, keeps most of the score",
    ),
    "necessary_area": Metric(
        "Necessary area",
        False,
        "smallest share of the area that, hidden, takes much of the score away",
    ),
    "repaired": Metric("Repaired", True, "share of failures that hiding some part repairs"),
    **{repaired_name(share): _repaired(share) for share in (0, 0.05, 0.1, 0.2)},
    # Who repairs only the easy ones hides the least.
    "repair_area": Metric(
        "Repair area", None, "share of the image that is hidden to repair; of what is repaired"
    ),
    "repair_auc": Metric(
        "Repair AUC",
        True,
        "area under the share of failures repaired over the share of the image hidden at most",
    ),
    "repair_passes": Metric(
        "Repair passes", False, "masked images that looking for the repair took", ",.0f"
    ),
    "passes": Metric(
        "Passes", False, "masked images that the method sent through the detector", ",.0f"
    ),
    "seconds": Metric("Seconds", False, "wall-clock time that the method took", ".2f"),
}
"""The metrics of `vps.metrics.measures` by name, in the order of tables."""


def find_metric(name: str) -> Metric:
    """What people read of a metric.

    The highest score may have any IoU threshold, and the repair rate be at any share of the image.

    Raises:
        InputError: there is no such metric; the message names the nearest.
    """
    for start, metric, wanted in (
        (_HIGHEST, _highest_score, f"an IoU threshold in percent, as in {highest_score_name(0.5)}"),
        (_REPAIRED, _repaired, f"a share of the image in percent, as in {repaired_name(0.05)}"),
    ):
        percent = name.removeprefix(start)
        if name not in METRICS and percent != name:
            try:
                return metric(float(percent) / 100)
            except ValueError:
                raise InputError(f"metric {name!r} needs {wanted}") from None
    return choose(METRICS, name, "metric")

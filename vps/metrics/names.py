"""Names of metrics that come once for each of several numbers, which they have in percent."""

from __future__ import annotations

HIGHEST, REPAIRED, SUCCESS = "highest_score", "repaired", "success"

Success = tuple[float, float]
"""What a success exceeds: (score, IoU)."""


def highest_score_name(threshold: float) -> str:
    """The name of the highest score at an IoU threshold: "highest_score_75" for 0.75."""
    return f"{HIGHEST}_{100 * threshold:g}"


def success_name(limits: Success) -> str:
    """The name of the success rate of a score at an IoU.

    >>> success_name((0.35, 0.5))
    'success_35at50'
    """
    score, iou = limits
    return f"{SUCCESS}_{100 * score:g}at{100 * iou:g}"


def repaired_name(share: float) -> str:
    """The name of the repair rate at a share of the image hidden: "repaired_5" for 0.05."""
    return f"{REPAIRED}_{100 * share:g}"


def read_percent(text: str) -> float:
    """The number in the end of a name: 0.05 of "5"; ValueError where it is none."""
    return float(text) / 100


def read_success(text: str) -> Success:
    """(score, IoU) in the end of a name: (0.35, 0.5) of "35at50"; ValueError otherwise."""
    score, iou = text.split("at")
    return read_percent(score), read_percent(iou)

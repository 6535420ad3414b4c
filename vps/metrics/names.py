"""Names of metrics that come once for each of several numbers, which they have in percent."""

from __future__ import annotations

HIGHEST, REPAIRED = "highest_score", "repaired"


def highest_score_name(threshold: float) -> str:
    """The name of the highest score at an IoU threshold: "highest_score_75" for 0.75."""
    return f"{HIGHEST}_{100 * threshold:g}"


def repaired_name(share: float) -> str:
    """The name of the repair rate at a share of the image hidden: "repaired_5" for 0.05."""
    return f"{REPAIRED}_{100 * share:g}"

"""What the metrics can be set to."""

from __future__ import annotations

from dataclasses import dataclass

from vps.errors import InputError
from vps.metrics.names import highest_score_name

_MOST_SUBSETS = 100_000

HIGHEST_IOUS = (0.5, 0.75)
"""IoU thresholds of the highest score, unless others are asked for."""

REPAIR_SHARES = (0.05, 0.1, 0.2)
"""Shares of the image at which repairs are counted, unless others are asked for."""


@dataclass(frozen=True)
class MetricSettings:
    """What the metrics can be set to.

    Attributes:
        highest_ious: IoU thresholds of the highest score, each in [0, 1).
        success_score, success_iou: a case succeeds if its highest score at this IoU exceeds this
            score; each in [0, 1).
        sufficient_share: the part of the whole image's score that suffices, in (0, 1].
        necessary_share: the part of the same to which the score falls once what is necessary is
            hidden, in [0, 1).
        fidelity_subsets: how many subsets of regions mu-fidelity hides; 0 does without it, and
            fewer than 2 say nothing.
        fidelity_share: of the regions that each of them holds, in (0, 1).
        seed: of the subsets, at least 0.

    Raises:
        InputError: a value out of range, or an IoU threshold that comes twice.
    """

    highest_ious: tuple[float, ...] = HIGHEST_IOUS
    success_score: float = 0.35
    success_iou: float = 0.5
    sufficient_share: float = 0.9
    necessary_share: float = 0.5
    fidelity_subsets: int = 64
    fidelity_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "highest_ious", tuple(self.highest_ious))
        for value in self.highest_ious:
            _check("highest_ious", 0 <= value < 1, "in [0, 1)", value)
        if len({highest_score_name(value) for value in self.highest_ious}) < len(self.highest_ious):
            raise InputError(f"highest_ious holds a threshold twice: {self.highest_ious}")
        for name in ("success_score", "success_iou", "necessary_share"):
            value = getattr(self, name)
            _check(name, 0 <= value < 1, "in [0, 1)", value)
        _check(
            "sufficient_share", 0 < self.sufficient_share <= 1, "in (0, 1]", self.sufficient_share
        )
        _check("fidelity_share", 0 < self.fidelity_share < 1, "in (0, 1)", self.fidelity_share)
        subsets = self.fidelity_subsets
        wanted = f"0, or 2 to {_MOST_SUBSETS:,}"
        _check("fidelity_subsets", subsets == 0 or 2 <= subsets <= _MOST_SUBSETS, wanted, subsets)
        _check("seed", self.seed >= 0, "at least 0", self.seed)


def _check(name: str, right: bool, wanted: str, value: float) -> None:
    if not right:
        raise InputError(f"{name} must be {wanted}, got {value}")

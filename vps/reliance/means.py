"""Where the evidence of a class lies, and how many detections survive a part of the image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vps.core.targets import Kind
from vps.metrics.aggregate import Interval, mean_intervals
from vps.reliance.facts import CaseFacts
from vps.reliance.table import RelianceSettings

MEAN_COLUMNS = {
    "own": "share of the evidence in the object",
    "others": "share in other annotated objects",
    "rest": "share outside of all annotated objects",
    "distance": "mean distance of the evidence from the box, in its diagonals",
    "sufficient_own": "share of the smallest sufficient set in the object",
    "alone_found": "share of detections that survive when only the object is shown",
    "around_found": "share that survive when only the surroundings are shown",
}
"""What is averaged, by name."""


@dataclass(frozen=True)
class ClassMeans:
    """Means over correct detections, with intervals over images.

    Attributes:
        label: the class; "" for all.
        cases: how many.
        images: of them.
        means: by the names of `MEAN_COLUMNS`; None where no case has a value.
    """

    label: str
    cases: int
    images: int
    means: dict[str, Interval | None]


def class_means(facts: Iterable[CaseFacts], settings: RelianceSettings) -> list[ClassMeans]:
    """The means of all correct detections, then of each class, the most frequent first."""
    used = [one for one in facts if one.kind == Kind.CORRECT.value]
    groups: dict[str, list[CaseFacts]] = defaultdict(list)
    for one in used:
        groups[one.label].append(one)
    ordered = sorted(groups, key=lambda label: (-len(groups[label]), label))
    found = [_means(label, groups[label], settings) for label in ordered]
    return [_means("", used, settings), *found] if used else []


def _means(label: str, facts: Sequence[CaseFacts], settings: RelianceSettings) -> ClassMeans:
    numbers: dict[object, int] = {}
    images = [numbers.setdefault((one.dataset, one.image_id), len(numbers)) for one in facts]
    table = np.array([[_value(one, name) for name in MEAN_COLUMNS] for one in facts], np.float64)
    intervals = mean_intervals(
        table, np.array(images), draws=settings.draws, level=1 - settings.level, seed=settings.seed
    )
    means = dict(zip(MEAN_COLUMNS, intervals, strict=True))
    return ClassMeans(label, len(facts), len(numbers), means)


def _value(facts: CaseFacts, name: str) -> float | None:
    if name != "others":
        value: float | None = getattr(facts, name)
        return value
    # Of objects that overlap each other, no pixel counts twice.
    if facts.own is None or facts.rest is None:
        return None
    return max(1 - facts.own - facts.rest, 0.0)

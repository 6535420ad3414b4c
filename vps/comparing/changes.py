"""What differs between two detectors, object by object, with counts and intervals."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vps.comparing.outcomes import Fate, ObjectOutcome, Outcomes
from vps.core.boxes import overlap
from vps.core.detect import Detection
from vps.data.sample import Id
from vps.errors import InputError
from vps.metrics.aggregate import Interval, mean_intervals


class Change(str, enum.Enum):
    """How the second detector differs from the first about an object."""

    LOST = "lost"
    GAINED = "gained"
    RELABELLED = "relabelled"
    RELABELLED_RIGHT = "relabelled right"
    MOVED = "moved"
    MOVED_RIGHT = "moved right"
    OTHER = "wrong in another way"
    SAME = "same"
    UNCOMPARED = "not compared"


CHANGES = {
    Change.LOST: "A finds it, B misses it",
    Change.GAINED: "A misses it, B finds it",
    Change.RELABELLED: "A finds it, B gives it another label",
    Change.RELABELLED_RIGHT: "A gives it another label, B finds it",
    Change.MOVED: "A finds it, the box of B fits too badly",
    Change.MOVED_RIGHT: "the box of A fits too badly, B finds it",
    Change.OTHER: "neither finds it, each in its way",
    Change.SAME: "the same of both",
    Change.UNCOMPARED: "only one of the two knows the label",
}
"""What each says."""

_OF = {
    (Fate.FOUND, Fate.MISSED): Change.LOST,
    (Fate.MISSED, Fate.FOUND): Change.GAINED,
    (Fate.FOUND, Fate.RELABELLED): Change.RELABELLED,
    (Fate.RELABELLED, Fate.FOUND): Change.RELABELLED_RIGHT,
    (Fate.FOUND, Fate.MOVED): Change.MOVED,
    (Fate.MOVED, Fate.FOUND): Change.MOVED_RIGHT,
}
_SAME_BOX = 0.5  # IoU above which two boxes on nothing are one


@dataclass(frozen=True)
class ObjectChange:
    """One object by both detectors.

    Attributes:
        image_id: where it is.
        first, second: what A and B make of it.
        change: how they differ.
    """

    image_id: Id
    first: ObjectOutcome
    second: ObjectOutcome
    change: Change


@dataclass(frozen=True)
class FalseBoxes:
    """Boxes on nothing in an image.

    Attributes:
        image_id: which.
        both: of A that B has, too, with the same label.
        only_first, only_second: of one of them.
    """

    image_id: Id
    both: int
    only_first: tuple[Detection, ...]
    only_second: tuple[Detection, ...]


@dataclass(frozen=True)
class ClassCount:
    """How often something changed.

    Attributes:
        label: the class; "" for all.
        change: how.
        count: of objects.
        objects: of the class that were compared.
        rate: count over objects, with its interval over images.
    """

    label: str
    change: Change
    count: int
    objects: int
    rate: Interval


def change_of(first: Fate, second: Fate) -> Change:
    """How two fates of an object differ.

    >>> change_of(Fate.FOUND, Fate.MISSED).value, change_of(Fate.MOVED, Fate.MISSED).value
    ('lost', 'wrong in another way')
    """
    if Fate.UNKNOWN in (first, second):
        return Change.UNCOMPARED
    if first is second:
        return Change.SAME
    return _OF.get((first, second), Change.OTHER)


def changes_of(image_id: Id, first: Outcomes, second: Outcomes) -> list[ObjectChange]:
    """The objects of an image by both detectors, paired by annotation.

    Raises:
        InputError: they are not of the same objects.
    """
    ids = [one.object_id for one in first.objects], [one.object_id for one in second.objects]
    if ids[0] != ids[1]:
        raise InputError(f"image {image_id}: the two detectors were judged by other objects")
    found = []
    for one, other in zip(first.objects, second.objects, strict=True):
        change = change_of(one.fate, other.fate)
        labels = [item.detection.label if item.detection else "" for item in (one, other)]
        if change is Change.SAME and one.fate is Fate.RELABELLED and labels[0] != labels[1]:
            change = Change.OTHER
        found.append(ObjectChange(image_id, one, other, change))
    return found


def false_boxes_of(image_id: Id, first: Outcomes, second: Outcomes) -> FalseBoxes:
    """The boxes on nothing, paired one to one by label and an IoU above 0.5, best scores first."""
    left = list(second.false_boxes)
    alone = []
    for item in first.false_boxes:
        fits = [
            other
            for other in left
            if other.label == item.label and overlap(item.box, other.box) > _SAME_BOX
        ]
        if fits:
            left.remove(max(fits, key=lambda other: overlap(item.box, other.box)))
        else:
            alone.append(item)
    both = len(first.false_boxes) - len(alone)
    return FalseBoxes(image_id, both, tuple(alone), tuple(left))


def count_changes(
    changes: Iterable[ObjectChange], *, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> list[ClassCount]:
    """How often each change occurs, among all objects and by class, with bootstrap intervals.

    Args:
        changes: of all objects.
        draws, level, seed: of the bootstrap over images.

    Returns:
        All changes that occur, of all classes first, then class by class, the largest first;
        objects that are the same are left out, and those of a label that one does not know are no
        part of any rate.
    """
    compared = [one for one in changes if one.change is not Change.UNCOMPARED]
    labels = dict.fromkeys(one.first.label for one in compared)
    groups = {"": compared}
    groups |= {label: [one for one in compared if one.first.label == label] for label in labels}
    found = []
    for label, own in groups.items():
        found += _counts(label, own, draws, level, seed)
    return sorted(found, key=lambda one: (one.label != "", -one.count, one.label))


def _counts(
    label: str, own: Sequence[ObjectChange], draws: int, level: float, seed: int
) -> list[ClassCount]:
    if not own:
        return []
    kinds = [change for change in Change if change not in (Change.SAME, Change.UNCOMPARED)]
    numbers: dict[Id, int] = {}
    images = np.array([numbers.setdefault(one.image_id, len(numbers)) for one in own])
    table = np.array([[one.change is kind for kind in kinds] for one in own], np.float64)
    rates = mean_intervals(table, images, draws=draws, level=level, seed=seed)
    return [
        ClassCount(label, kind, int(column.sum()), len(own), rate)
        for kind, column, rate in zip(kinds, table.T, rates, strict=True)
        if column.any() and rate is not None
    ]

"""What is explained: a box with a label, and the kind of case it is."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vps.core.names import choose
from vps.errors import InputError, quoted

Box = tuple[float, float, float, float]

_RENAMED = {"said_box": "predicted_box", "said_label": "predicted_label"}


class Kind(str, enum.Enum):
    """Kinds of case, by the error types of TIDE (Bolya et al., ECCV 2020)."""

    CORRECT = "correct"
    CLASSIFICATION = "classification"
    LOCALISATION = "localisation"
    BOTH = "both"
    DUPLICATE = "duplicate"
    BACKGROUND = "background"
    MISSED = "missed"
    GROUNDED_RIGHT = "grounded_right"
    GROUNDED_WRONG = "grounded_wrong"

    @property
    def traits(self) -> KindTraits:
        """What holds for all cases of the kind.

        >>> Kind.MISSED.traits.failure, Kind.MISSED.traits.rival
        (True, False)
        """
        return KIND_TRAITS[self]


class KindTraits(NamedTuple):
    """What holds for all cases of a kind.

    Attributes:
        failure: something is wrong, so that there is something to repair.
        own_box: the target is the detector's own box and label; else it is the truth.
        rival: the target is held against what the detector found instead.
        phrase: the label is a referring expression: such cases are of data sets for grounding.
        seen: what the detector did, as it stands before its name under a picture.
    """

    failure: bool
    own_box: bool
    rival: bool
    phrase: bool = False
    seen: str = "found by"

    @property
    def false_box(self) -> bool:
        """The detector's own box, which should not be there."""
        return self.failure and self.own_box


KIND_TRAITS: dict[Kind, KindTraits] = {
    #                             failure own_box rival
    Kind.CORRECT: KindTraits(False, True, False),
    Kind.CLASSIFICATION: KindTraits(True, False, True, seen="a wrong label, given by"),
    Kind.LOCALISATION: KindTraits(True, False, True),
    Kind.BOTH: KindTraits(True, False, True),
    Kind.DUPLICATE: KindTraits(True, True, False),
    Kind.BACKGROUND: KindTraits(True, True, False, seen="on nothing, found by"),
    Kind.MISSED: KindTraits(True, False, False, seen="missed by"),
    Kind.GROUNDED_RIGHT: KindTraits(False, True, False, phrase=True),
    Kind.GROUNDED_WRONG: KindTraits(True, False, True, phrase=True),
}
"""All that depends on the kind alone."""


@dataclass(frozen=True)
class Target:
    """A box b* with a label c.

    Attributes:
        box: what is explained, xyxy, pixels of the original image: the truth of a missed object,
            the detector's own answer of a correct, wrong or false one.
        label: likewise; a name that the detector knows.
        kind: what is known about the case.
        predicted_label: where box and label are the truth, the label that the detector gave
            instead.
        predicted_box: likewise, the box that the detector gave instead, xyxy; of a duplicate, the
            box that it duplicates: candidates that fit that one better are not the duplicate's.

    Raises:
        InputError: a box that is not finite or has no area, or an empty label.
    """

    box: Box
    label: str
    kind: Kind = Kind.CORRECT
    predicted_label: str | None = None
    predicted_box: Box | None = None

    def __post_init__(self) -> None:
        kinds = {kind.value: kind for kind in Kind}
        object.__setattr__(self, "kind", choose(kinds, self.kind, "kind"))
        object.__setattr__(self, "box", checked_box(self.box))
        if self.predicted_box is not None:
            object.__setattr__(self, "predicted_box", checked_box(self.predicted_box))
        if not isinstance(self.label, str) or not self.label:
            raise InputError(f"a target needs a label, the name of one; got {quoted(self.label)}")
        if not isinstance(self.predicted_label, (str, type(None))):
            raise InputError(f"a predicted label is a text, got {quoted(self.predicted_label)}")

    @property
    def apart_from(self) -> Box | None:
        """The box whose candidates are not the target's: what a duplicate duplicates."""
        return self.predicted_box if self.kind is Kind.DUPLICATE else None

    def check_inside(self, size: tuple[int, int]) -> None:
        """Raise InputError unless at least half of the box lies in an image of size (H, W).

        Detectors may put a box somewhat over the border, so a little outside is no mistake.
        """
        height, width = size
        x1, y1, x2, y2 = self.box
        inside = max(min(x2, width) - max(x1, 0), 0) * max(min(y2, height) - max(y1, 0), 0)
        if inside < 0.5 * (x2 - x1) * (y2 - y1):
            raise InputError(
                f"box {self.box} lies outside the image, or more than half of it does; the image "
                f"is {width} x {height} pixels"
            )

    def clipped(self, size: tuple[int, int]) -> Target:
        """The same with its boxes cut off at the borders of an image of size (H, W).

        Raises:
            InputError: as for `check_inside`.
        """
        self.check_inside(size)
        other = self.predicted_box
        boxes = _cut(self.box, size), None if other is None else _cut(other, size)
        if boxes == (self.box, other):
            return self
        return dataclasses.replace(self, box=boxes[0], predicted_box=boxes[1])


def with_new_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the fields that used to be `said_box` and `said_label` under their names."""
    return {_RENAMED.get(name, name): value for name, value in record.items()}


def _cut(box: Box, size: tuple[int, int]) -> Box:
    """A box within an image of size (H, W); as it is where nothing of it lies there."""
    height, width = size
    x1, y1, x2, y2 = box
    inside = max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))
    return inside if inside[0] < inside[2] and inside[1] < inside[3] else box


def checked_box(box: Box) -> Box:
    """A box as four floats x1 y1 x2 y2; InputError unless they are finite and it has an area."""
    try:
        values = tuple(float(value) for value in box)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        values = ()
    if len(values) != 4 or not all(math.isfinite(value) for value in values):
        raise InputError(f"a box needs four finite numbers x1 y1 x2 y2, got {quoted(box)}")
    x1, y1, x2, y2 = values
    if x2 <= x1 or y2 <= y1:
        raise InputError(
            f"box {values} has no area: x1 y1 x2 y2 must have x1 < x2 and y1 < y2 "
            "(is it x y width height?)"
        )
    return values

"""What the options of `vps explain` ask about: targets, and what they are held against."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vps.core.boxes import overlap
from vps.core.detect import Detection, target_of_box
from vps.core.scoring import CLASS_MODE_IOU
from vps.core.targets import Box, Kind, Target
from vps.errors import InputError

_ELSEWHERE = 0.1
"""IoU below which two boxes are about two things, as in TIDE."""


@dataclass(frozen=True)
class Asked:
    """What the user asks about: see the options of `vps explain`, which bear the same names.

    Attributes:
        all: all detections.
    """

    detection: int | None = None
    all: bool = False
    box: Box | None = None
    label: str | None = None
    missed: bool = False
    why_not: str | None = None
    false_box: bool = False
    duplicate_of: int | None = None
    smallest: bool = False

    @property
    def questions(self) -> list[str]:
        """The options given that ask for sets of regions, beside an attribution map."""
        given = {
            "--missed": self.missed,
            "--why-not": self.why_not is not None,
            "--false-box": self.false_box,
            "--duplicate-of": self.duplicate_of is not None,
            "--smallest": self.smallest,
        }
        return [flag for flag, asked in given.items() if asked]

    @property
    def kind(self) -> Kind:
        """What kind of case is asked about, as far as the options tell."""
        if self.missed:
            return Kind.MISSED
        if self.why_not is not None:
            return Kind.CLASSIFICATION
        if self.duplicate_of is not None:
            return Kind.DUPLICATE
        return Kind.BACKGROUND if self.false_box else Kind.CORRECT

    @property
    def why(self) -> bool:
        """Whether sets of regions are asked for."""
        return bool(self.questions)


class CliQuestion(NamedTuple):
    """One question to be answered in a sentence and a picture.

    Attributes:
        key: how files name it.
        target: of the kind that is asked about.
        rival: what it is held against, where its kind has something.
    """

    key: str
    target: Target
    rival: Target | None = None


def check_asked(asked: Asked, mode: str) -> None:
    """Raise InputError for options that do not go together, before anything is loaded.

    Args:
        asked: by the user.
        mode: what of it is to be explained.
    """
    box, one = asked.box is not None, asked.detection is not None
    if len(asked.questions) > 1:
        raise InputError(f"one question at a time: give one of {', '.join(asked.questions)}")
    if (box and one and asked.why_not is None) or (asked.all and (box or one)):
        raise InputError("--detection, --all and --box are three ways to choose; give one of them")
    if asked.why_not is not None and asked.label is not None:
        raise InputError("--why-not takes the label itself: --why-not LABEL --box X1 Y1 X2 Y2")
    if asked.label is not None and not box:
        raise InputError("--label is the label of --box; give a box, too, or choose by --detection")
    if not asked.why:
        return
    if asked.all:
        raise InputError("one detection is asked about at a time: choose it by --detection")
    if asked.missed and not box:
        raise InputError("--missed needs the box and the label of what is missed: --box, --label")
    if box and (asked.false_box or asked.smallest or asked.duplicate_of is not None):
        raise InputError("--box is for --missed and --why-not; choose a detection by --detection")
    if mode != "object":
        raise InputError("such questions are answered in mode object only")


def targets_of(
    asked: Asked, labels: Sequence[str], found: Sequence[Detection], threshold: float
) -> list[tuple[str, Target]]:
    """What to explain, by its number among the detections, or by the box that the user gave."""
    if asked.box is not None and asked.why_not is None:
        target = target_of_box(asked.box, asked.label, labels, found)
        return [(_box_key(target.box), target)]
    if not found:
        raise InputError(
            f"the detector finds nothing with a score of {threshold:g} or more; lower "
            "--threshold, or explain an object that it misses with --box and --label"
        )
    one = 1 if asked.detection is None else asked.detection
    numbers = range(1, len(found) + 1) if asked.all else [one]
    return [(str(number), _detection(number, found)) for number in numbers]


def question_of(
    asked: Asked, labels: Sequence[str], found: Sequence[Detection], threshold: float
) -> CliQuestion:
    """The question that is answered in a sentence and a picture."""
    key, said = targets_of(asked, labels, found, threshold)[0]
    if asked.missed:
        return CliQuestion(f"{key}_missed", Target(said.box, said.label, Kind.MISSED))
    if asked.false_box:
        return CliQuestion(f"{key}_false-box", dataclasses.replace(said, kind=Kind.BACKGROUND))
    if asked.duplicate_of is not None:
        other = _detection(asked.duplicate_of, found)
        if other.label != said.label or other == said:
            raise InputError(
                f"detections {key} and {asked.duplicate_of} are no two boxes of one label"
            )
        if overlap(said.box, other.box) < _ELSEWHERE:
            raise InputError(
                f"detections {key} and {asked.duplicate_of} do not overlap: they are about two "
                "things"
            )
        target = dataclasses.replace(said, kind=Kind.DUPLICATE)
        return CliQuestion(f"{key}_duplicate-of-{asked.duplicate_of}", target, other)
    if asked.why_not is None:
        return CliQuestion(f"{key}_smallest", said)
    if asked.box is not None:
        box = Target(asked.box, asked.why_not).box
        if asked.detection is None:
            key, said = _said_for(box, asked.why_not, found)
        kind = _kind_of(box, said, asked.why_not)
        target = Target(box, asked.why_not, kind, said.label, said.box)
        return CliQuestion(f"{key}_why-not_{_box_key(box)}", target)
    if asked.why_not == said.label:
        raise InputError(
            f"detection {key} is a {said.label}: --why-not takes another label, or a --box where "
            "it should be"
        )
    target = Target(said.box, asked.why_not, Kind.CLASSIFICATION, said.label, said.box)
    return CliQuestion(f"{key}_why-not", target)


def _kind_of(box: Box, said: Target, label: str) -> Kind:
    """Of an error whose right answer is a label in another box."""
    shared = overlap(box, said.box)
    if label != said.label:
        return Kind.CLASSIFICATION if shared > CLASS_MODE_IOU else Kind.BOTH
    return Kind.LOCALISATION if shared >= _ELSEWHERE else Kind.GROUNDED_WRONG


def _said_for(box: Box, label: str, found: Sequence[Detection]) -> tuple[str, Target]:
    """What the detector says instead of a label in a box: there, or else first of that label.

    What is found there all the same is not the first, where a phrase is grounded to another thing.
    """
    overlaps = [overlap(box, one.box) for one in found]
    place = int(np.argmax(overlaps))
    right = found[place].label == label and overlaps[place] > CLASS_MODE_IOU
    if right or overlaps[place] < _ELSEWHERE:
        labelled = [number for number, one in enumerate(found) if one.label == label]
        if not labelled:
            raise InputError(
                f"no detection overlaps the box {box}, and none is a {label}: say by --detection "
                "which one it is held against, or ask by --missed"
            )
        place = labelled[0]
    return str(place + 1), _detection(place + 1, found)


def _detection(number: int, found: Sequence[Detection]) -> Target:
    if not 1 <= number <= len(found):
        raise InputError(f"there is no detection {number}: 1 to {len(found)} exist")
    return Target(found[number - 1].box, found[number - 1].label)


def _box_key(box: Box) -> str:
    return "-".join(f"{value:g}" for value in box)

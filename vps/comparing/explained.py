"""Changes with their maps: which of two detectors is asked what, and what comes of it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vps.comparing.changes import Change, FalseBoxes, ObjectChange
from vps.comparing.figure import save_change_figure
from vps.comparing.maps import BothMaps, MapSettings, explain_both, failing_target
from vps.comparing.outcomes import ObjectOutcome
from vps.core.detector import Detector
from vps.core.file_names import safe_name
from vps.core.images import OpenedImage
from vps.core.targets import Kind, Target
from vps.errors import VpsError, one_line
from vps.reliance.evidence import Surroundings

EXPLAINED = (
    Change.LOST,
    Change.GAINED,
    Change.RELABELLED,
    Change.RELABELLED_RIGHT,
    Change.MOVED,
    Change.MOVED_RIGHT,
)
"""Changes that one of the two gets right."""

_RIGHT_FIRST = (Change.LOST, Change.RELABELLED, Change.MOVED)


@dataclass(frozen=True)
class ExplainedChange:
    """A change with its maps.

    Attributes:
        change: what differs.
        maps: None where they could not be made.
        picture: its file name, in the folder of pictures.
        error: why there are no maps.
    """

    change: ObjectChange
    maps: BothMaps | None
    picture: str = ""
    error: str = ""


@dataclass
class Comparison:
    """What differs between two detectors in one data set, or in one image.

    Attributes:
        name: of the data set or image.
        names: of the detectors A and B.
        changes: of all objects.
        false_boxes: of all images.
        explained: some of the changes.
        remarks: what was left out.
        passes: of the maps.
    """

    name: str
    names: tuple[str, str]
    changes: list[ObjectChange] = field(default_factory=list)
    false_boxes: list[FalseBoxes] = field(default_factory=list)
    explained: list[ExplainedChange] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def passes(self) -> int:
        """Of all maps."""
        return sum(one.maps.passes for one in self.explained if one.maps is not None)


@dataclass(frozen=True)
class Side:
    """One of two detectors.

    Attributes:
        detector: itself.
        name: what it is called.
        names: labels of the objects -> its own.
        threshold: the lowest score of a detection.
    """

    detector: Detector
    name: str
    names: Mapping[str, str]
    threshold: float


def explain_change(
    change: ObjectChange,
    sides: tuple[Side, Side],
    image: OpenedImage,
    picture: Path,
    *,
    around: Surroundings | None = None,
    settings: MapSettings | None = None,
) -> ExplainedChange:
    """Both maps of a change that one of the detectors gets right, and their picture.

    Args:
        change: one of `EXPLAINED`.
        sides: A and B.
        image: where it is.
        picture: where the picture goes.
        around: what is annotated there.
        settings: of the maps; the threshold is that of the detector that fails.

    Raises:
        OutputError: the picture cannot be written.
    """
    swapped = change.change not in _RIGHT_FIRST
    right, wrong = (sides[1], sides[0]) if swapped else sides
    outcomes = (change.first, change.second)
    found, missing = _targets(outcomes[int(swapped)], outcomes[int(not swapped)], right, wrong)
    chosen = settings or MapSettings()
    try:
        maps = explain_both(
            right.detector,
            wrong.detector,
            image,
            found,
            missing,
            swapped=swapped,
            around=around,
            settings=dataclasses.replace(chosen, threshold=max(wrong.threshold, 0.01)),
        )
    except VpsError as error:
        return ExplainedChange(change, None, error=one_line(error))
    save_change_figure(maps, image, picture, (sides[0].name, sides[1].name))
    return ExplainedChange(change, maps, picture.name)


def picture_name(*parts: object) -> str:
    """Of the picture of a change."""
    return safe_name("-".join(map(str, parts))) + ".jpg"


def _targets(
    found: ObjectOutcome, failed: ObjectOutcome, right: Side, wrong: Side
) -> tuple[Target, Target]:
    """What the one finds, and what the other fails at, each under its own names."""
    box = found.box if found.detection is None else found.detection.box
    truth = Target(found.box, wrong.names[found.label], Kind.MISSED)
    if failed.detection is not None:
        truth = failing_target(truth, failed.detection.label, failed.detection.box)
    return Target(box, right.names[found.label]), truth


def in_turns(changes: Sequence[ObjectChange], most: int) -> list[ObjectChange]:
    """At most so many changes, of each kind and class one in turn, the largest groups first."""
    groups: Mapping[tuple[Change, str], list[ObjectChange]] = defaultdict(list)
    for one in changes:
        groups[one.change, one.first.label].append(one)
    ordered = sorted(
        groups.values(), key=lambda own: (-len(own), own[0].change, own[0].first.label)
    )
    chosen: list[ObjectChange] = []
    for turn in range(max(map(len, ordered), default=0)):
        chosen += [own[turn] for own in ordered if turn < len(own)]
    return chosen[:most]

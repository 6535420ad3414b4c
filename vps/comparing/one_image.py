"""Two detectors in one image, where nothing is annotated: what one shows and the other does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vps.comparing.changes import Change, ObjectChange
from vps.comparing.explained import (
    EXPLAINED,
    Comparison,
    Side,
    explain_change,
    in_turns,
    picture_name,
)
from vps.comparing.maps import MapSettings
from vps.comparing.outcomes import Fate, ObjectOutcome
from vps.core.boxes import overlap
from vps.core.detect import Detection, detect
from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.core.names import name_key

_SAME_BOX = 0.5


def compare_in_image(
    first: Detector,
    second: Detector,
    image: OpenedImage,
    pictures: Path,
    *,
    names: tuple[str, str],
    thresholds: tuple[float, float] = (0.3, 0.3),
    most: int = 12,
    settings: MapSettings | None = None,
) -> Comparison:
    """Pair what two detectors show in an image, and explain what differs.

    Boxes with an IoU above 0.5 are one object, those of the same label first, then those of the
    highest scores. What only one shows is said to be found by that one and missed by the other;
    which is right, nobody knows. Labels go by their names, whatever their case and spaces.

    Args:
        first, second: A and B.
        image: what both look at.
        pictures: the folder where pictures go.
        names: of A and B.
        thresholds: the lowest scores of detections.
        most: changes that are explained.
        settings: of the maps.

    Raises:
        DetectorError: a detector breaks its contract.
        OutputError: a picture cannot be written.
    """
    detectors = (first, second)
    known = [{name_key(label): label for label in one.labels} for one in detectors]
    sides = tuple(
        Side(
            detector,
            name,
            {
                label: other[name_key(label)]
                for detector_labels in (first.labels, second.labels)
                for label in detector_labels
                if name_key(label) in other
            },
            threshold,
        )
        for detector, name, other, threshold in zip(
            detectors, names, known, thresholds, strict=True
        )
    )
    found = [
        detect(detector, image, threshold)
        for detector, threshold in zip(detectors, thresholds, strict=True)
    ]
    comparison = Comparison(image.name or "the image", names)
    comparison.changes = paired_detections(found[0], found[1], (sides[0], sides[1]))
    changed = [one for one in comparison.changes if one.change in EXPLAINED]
    for one in in_turns(changed, most):
        picture = pictures / picture_name(comparison.name, one.first.object_id)
        comparison.explained.append(
            explain_change(one, (sides[0], sides[1]), image, picture, settings=settings)
        )
    return comparison


def paired_detections(
    first: Sequence[Detection], second: Sequence[Detection], sides: tuple[Side, Side]
) -> list[ObjectChange]:
    """What two detectors show in an image, paired one to one, see `compare_in_image`."""
    pairs = sorted(
        (
            (name_key(one.label) != name_key(other.label), -one.score, -other.score, i, j)
            for i, one in enumerate(first)
            for j, other in enumerate(second)
            if overlap(one.box, other.box) > _SAME_BOX
        ),
    )
    taken: dict[int, int] = {}
    for *_, i, j in pairs:
        if i not in taken and j not in taken.values():
            taken[i] = j
    alone = [(None, other) for j, other in enumerate(second) if j not in taken.values()]
    shown: list[tuple[Detection | None, Detection | None]] = [
        (one, second[taken[i]] if i in taken else None) for i, one in enumerate(first)
    ]
    return [
        _change(number, one, other, sides)
        for number, (one, other) in enumerate([*shown, *alone], start=1)
    ]


def _change(
    number: int, one: Detection | None, other: Detection | None, sides: tuple[Side, Side]
) -> ObjectChange:
    told = one or other
    assert told is not None  # one of the two is there
    fates = [Fate.MISSED if item is None else Fate.FOUND for item in (one, other)]
    change = Change.SAME if one and other else Change.LOST if one else Change.GAINED
    if one and other and name_key(one.label) != name_key(other.label):
        fates[1], change = Fate.RELABELLED, Change.RELABELLED
    for place, side in enumerate(sides):
        if told.label not in side.names:
            fates[place], change = Fate.UNKNOWN, Change.UNCOMPARED
    outcomes = [
        ObjectOutcome(number, told.label, told.box, fate, item)
        for fate, item in zip(fates, (one, other), strict=True)
    ]
    return ObjectChange(1, outcomes[0], outcomes[1], change)

"""What became of each annotated object by one detector, and what it shows beside."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from vps.core.detect import Detection
from vps.core.targets import Box, Kind
from vps.data.cases.asking import Vocabulary
from vps.data.cases.kinds import judge
from vps.data.cases.matching import match
from vps.data.cases.selection import Selection
from vps.data.sample import Id, Sample


class Fate(str, enum.Enum):
    """What a detector makes of an object."""

    FOUND = "found"
    RELABELLED = "relabelled"
    MOVED = "moved"
    MISSED = "missed"
    UNKNOWN = "unknown"


FATES = {
    Fate.FOUND: "a detection of its label matches it",
    Fate.RELABELLED: "a box fits it, but with another label",
    Fate.MOVED: "a box of its label lies on it, but fits too badly",
    Fate.MISSED: "neither",
    Fate.UNKNOWN: "the detector does not know its label",
}
"""What each says; classification and localisation errors as TIDE has them."""


@dataclass(frozen=True)
class ObjectOutcome:
    """What a detector makes of one object.

    Attributes:
        object_id: the annotation.
        label: of the object, the data set's.
        box: of the object, xyxy, pixels.
        fate: what became of it.
        detection: what was found, or instead; None where nothing was. Its label is the detector's.
    """

    object_id: Id
    label: str
    box: Box
    fate: Fate
    detection: Detection | None = None


@dataclass(frozen=True)
class Outcomes:
    """All of an image.

    Attributes:
        objects: one an annotated object that counts, in the order of the annotations.
        false_boxes: detections on nothing, with the detector's labels.
    """

    objects: tuple[ObjectOutcome, ...]
    false_boxes: tuple[Detection, ...]


def outcomes_of(
    found: Sequence[Detection], sample: Sample, vocabulary: Vocabulary, selection: Selection
) -> Outcomes:
    """Sort what a detector shows in an image by the objects that it is about.

    Detections are matched by COCO's rules and judged by TIDE's, as when a study selects its cases.

    Args:
        found: the detections, by falling score, with the detector's labels.
        sample: the image with its annotations.
        vocabulary: the names that detector and data set share.
        selection: the thresholds.
    """
    sample = vocabulary.renamed(sample)
    known = [item for item in found if item.label in vocabulary.to_dataset]
    ours = [Detection(item.box, vocabulary.to_dataset[item.label], item.score) for item in known]
    matches = match(
        ours,
        sample,
        iou_threshold=selection.iou_threshold,
        max_detections=selection.max_detections,
    )
    about: dict[int, tuple[Fate, Detection]] = {}
    nothing = []
    kinds = {Kind.CLASSIFICATION: Fate.RELABELLED, Kind.LOCALISATION: Fate.MOVED}
    ranks = {Fate.FOUND: 0, Fate.RELABELLED: 1, Fate.MOVED: 2}
    for item in judge(
        ours,
        sample,
        matches,
        vocabulary.to_detector,
        iou_threshold=selection.iou_threshold,
        background_iou=selection.background_iou,
    ):
        if item.kind is Kind.BACKGROUND:
            nothing.append(known[item.detection])
        fate = Fate.FOUND if item.kind is Kind.CORRECT else kinds.get(item.kind)
        if fate is None or item.annotation < 0:
            continue
        before = about.get(item.annotation)
        # What finds it counts more than what is wrong about it; of equals, the higher score.
        if before is None or ranks[fate] < ranks[before[0]]:
            about[item.annotation] = fate, known[item.detection]
    objects = []
    for place, label in enumerate(sample.labels):
        if sample.ignored[place]:
            continue
        x1, y1, x2, y2 = sample.boxes[place].tolist()
        fate, detection = about.get(place, (Fate.MISSED, None))
        if label not in vocabulary.to_detector:
            fate, detection = Fate.UNKNOWN, None
        own = sample.object_ids[place]
        objects.append(ObjectOutcome(own, label, (x1, y1, x2, y2), fate, detection))
    return Outcomes(tuple(objects), tuple(nothing))

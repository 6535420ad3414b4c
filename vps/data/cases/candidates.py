"""The cases that an image offers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vps.core.detect import Detection
from vps.core.detector import OpenVocabularyDetector
from vps.core.targets import Box, Kind
from vps.data.cases.asking import Vocabulary, best_candidate
from vps.data.cases.cases import Case
from vps.data.cases.kinds import Judgement, judge
from vps.data.cases.matching import match, overlaps
from vps.data.cases.selection import Selection
from vps.data.sample import Sample
from vps.errors import InputError


def detection_cases(
    found: Sequence[Detection],
    sample: Sample,
    vocabulary: Vocabulary,
    frequencies: Mapping[str, str],
    selection: Selection,
    counts: Counter[str],
) -> Iterator[Case]:
    """The cases of an image by its detections.

    Args:
        found: the detections, by falling score, with the detector's labels.
        sample: the image with its annotations.
        vocabulary: the names that detector and data set share.
        frequencies: the frequency of the data set's labels, where it has them.
        selection: the thresholds.
        counts: added to, see `vps.data.cases.select.select_cases`.

    Yields:
        All that is no repetition and can be explained, with the detector's labels.
    """
    ranks = [rank for rank, item in enumerate(found) if item.label in vocabulary.to_dataset]
    ours = [
        Detection(found[rank].box, vocabulary.to_dataset[found[rank].label], found[rank].score)
        for rank in ranks
    ]
    objects = [
        not crowd and label in vocabulary.to_detector
        for label, crowd in zip(sample.labels, sample.ignored, strict=True)
    ]
    matches = match(
        ours,
        sample,
        iou_threshold=selection.iou_threshold,
        max_detections=selection.max_detections,
    )
    judged = 0
    for item in judge(
        ours,
        sample,
        matches,
        vocabulary.to_detector,
        iou_threshold=selection.iou_threshold,
        background_iou=selection.background_iou,
    ):
        counts[item.kind.value] += 1
        judged += item.detection >= 0
        if item.repeats:
            counts["repeated"] += 1
            continue
        case = _case(item, ours, ranks, sample, vocabulary, frequencies)
        if item.kind is Kind.CORRECT and selection.target == "truth":
            case = dataclasses.replace(case, box=_box(sample, item.annotation))
        if _can_be_explained(case, sample, counts):
            yield case
    counts["images"] += 1
    counts["annotations"] += sum(objects)
    counts["detections"] += len(found)
    counts["foreign"] += len(found) - len(ours)
    counts["ignored"] += len(ours) - judged


def phrase_cases(
    detector: OpenVocabularyDetector,
    sample: Sample,
    selection: Selection,
    counts: Counter[str],
    refused: Callable[[InputError], None],
) -> Iterator[Case]:
    """The cases of an image of a grounding data set: each phrase is asked alone.

    Args and what is yielded are as for `detection_cases`; nothing is left out as a repetition.
    `refused` is called for each phrase that the detector cannot read, empty or too long.
    """
    counts["images"] += 1
    for index in np.flatnonzero(~sample.ignored).tolist():
        phrase, truth = sample.labels[index], _box(sample, index)
        counts["annotations"] += 1
        key = f"a{sample.object_ids[index]}"
        try:
            best = best_candidate(detector, sample, phrase, selection.nms_iou)
        except InputError as error:
            refused(error)
            continue
        about = {"object_id": sample.object_ids[index], "area": float(sample.areas[index])}
        if best is None:
            case = Case(sample.image_id, key, Kind.MISSED, truth, phrase, **about)
        else:
            counts["detections"] += 1
            iou = float(overlaps([best], sample)[0, index])
            right = iou >= selection.iou_threshold
            case = Case(
                sample.image_id,
                key,
                Kind.GROUNDED_RIGHT if right else Kind.GROUNDED_WRONG,
                best.box if right and selection.target != "truth" else truth,
                phrase,
                predicted_box=None if right else best.box,
                score=best.score,
                iou=iou,
                **about,
            )
        counts[case.kind.value] += 1
        if _can_be_explained(case, sample, counts):
            yield case
    yield from _absent_cases(detector, sample, selection, counts, refused)


def _absent_cases(
    detector: OpenVocabularyDetector,
    sample: Sample,
    selection: Selection,
    counts: Counter[str],
    refused: Callable[[InputError], None],
) -> Iterator[Case]:
    """The phrases of no object that the detector shows something for, as a user would see it."""
    for phrase_id, phrase in sample.absent:
        counts["absent"] += 1
        try:
            best = best_candidate(detector, sample, phrase, selection.nms_iou)
        except InputError as error:
            refused(error)
            continue
        if best is None or best.score < selection.score_threshold:
            continue
        counts["detections"] += 1
        counts[Kind.BACKGROUND.value] += 1
        case = Case(
            sample.image_id,
            # Its id may be that of a phrase with an object.
            f"n{phrase_id}",
            Kind.BACKGROUND,
            best.box,
            phrase,
            score=best.score,
            area=box_area(best.box),
        )
        if _can_be_explained(case, sample, counts):
            yield case


def _case(
    item: Judgement,
    found: Sequence[Detection],
    ranks: Sequence[int],
    sample: Sample,
    vocabulary: Vocabulary,
    frequencies: Mapping[str, str],
) -> Case:
    said = found[item.detection] if item.detection >= 0 else None
    wrong = said if item.kind.traits.rival else None
    about = sample.object_ids[item.annotation] if item.annotation >= 0 else None
    if said is None or wrong is not None:
        label, box = sample.labels[item.annotation], _box(sample, item.annotation)
    else:
        label, box = said.label, said.box
    return Case(
        sample.image_id,
        f"a{about}" if said is None else f"d{ranks[item.detection] + 1}",
        item.kind,
        box,
        vocabulary.to_detector[label],
        predicted_box=None if wrong is None else wrong.box,
        predicted_label=None if wrong is None else vocabulary.to_detector[wrong.label],
        score=0.0 if said is None else said.score,
        iou=item.iou,
        object_id=about,
        area=box_area(box) if about is None else float(sample.areas[item.annotation]),
        frequency=frequencies.get(label),
    )


def _can_be_explained(case: Case, sample: Sample, counts: Counter[str]) -> bool:
    """Whether the box has an area and lies in the image; counts those that do not."""
    try:
        case.target.check_inside(sample.size)
    except InputError:
        counts["boxless"] += 1
        return False
    return True


def box_area(box: Box) -> float:
    """The area of an xyxy box in pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def _box(sample: Sample, index: int) -> Box:
    x1, y1, x2, y2 = sample.boxes[index].tolist()
    return x1, y1, x2, y2

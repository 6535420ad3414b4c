"""The kinds of error of TIDE (Bolya et al., ECCV 2020): what was found, mistaken and missed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vps.core.detect import Detection
from vps.core.targets import Kind
from vps.data.cases.matching import Matches
from vps.data.sample import Sample


@dataclass(frozen=True)
class Judgement:
    """What a detection or an object that was missed is.

    Attributes:
        kind: of the case.
        detection: index of the detection; -1 for a missed object.
        annotation: index of the annotation that it is about; -1 for a box on nothing.
        iou: of the two; 0 where one is missing.
        repeats: it tells nothing new of its object, which another detection finds, or which a
            higher-scoring detection mistakes in the same way.
    """

    kind: Kind
    detection: int = -1
    annotation: int = -1
    iou: float = 0.0
    repeats: bool = False


def judge(
    found: Sequence[Detection],
    sample: Sample,
    matches: Matches,
    known: Collection[str],
    *,
    iou_threshold: float = 0.5,
    background_iou: float = 0.1,
) -> Iterator[Judgement]:
    """Sort the detections of an image, except ignored ones, and its missed objects into kinds.

    A detection that matches an object is correct. Of another, with t_f the IoU threshold and t_b
    that of the background, the first that holds, in the order of the authors' code:

        localisation    t_b <= IoU <= t_f with the object of its label that it overlaps most
        classification  IoU >= t_f with an object of another label
        duplicate       IoU >= t_f with an object of its label that another detection matches
        background      IoU <= t_b with all objects
        both            else: t_b < IoU < t_f with an object of another label

    An object is missed if nothing matches it and no localisation or classification error is about
    it: no error that, put right, would find it. Ignored annotations are no objects.

    Beyond TIDE: objects with labels that the detector does not know are never missed or mistaken,
    but a box on one is no background either; what would be one is left out.

    Args:
        found: the detections, by falling score.
        sample: the image with its annotations.
        matches: what `vps.data.cases.matching.match` returns for them.
        known: the labels of the data set that the detector knows.
        iou_threshold: t_f, in (0, 1], as it was matched by.
        background_iou: t_b, in [0, 1], below t_f.

    Yields:
        One judgement a detection, in their order, then one a missed object.
    """
    asked = np.array([label in known for label in sample.labels], dtype=bool)
    objects = np.flatnonzero(asked & ~sample.ignored)
    unknown = np.flatnonzero(~asked & ~sample.ignored)
    names = np.array(sample.labels, dtype=object)
    taken = matches.found
    told: set[tuple[Kind, int]] = set()
    for index in np.flatnonzero(~matches.ignored).tolist():
        ious, about = matches.ious[index], int(matches.annotation[index])
        kind = Kind.CORRECT
        if about < 0:
            same = names == found[index].label
            kind, about = _error(ious, objects, same, taken, iou_threshold, background_iou)
        if about >= 0:
            repeats = kind.traits.rival and (bool(taken[about]) or (kind, about) in told)
            told.add((kind, about))
            yield Judgement(kind, index, about, float(ious[about]), repeats)
        elif _most(ious, unknown)[1] <= background_iou:
            yield Judgement(kind, index)
    for about in objects[~taken[objects]].tolist():
        if not {(Kind.CLASSIFICATION, about), (Kind.LOCALISATION, about)} & told:
            yield Judgement(Kind.MISSED, annotation=about)


def _error(
    ious: np.ndarray,
    objects: np.ndarray,
    same: np.ndarray,
    taken: np.ndarray,
    upper: float,
    lower: float,
) -> tuple[Kind, int]:
    """The kind of a detection without a match, and the object that it is about or -1.

    `ious`, `same` (the label is the detection's) and `taken` are (K,), of all annotations.
    """
    about, iou = _most(ious, objects[same[objects]])
    if about >= 0 and lower <= iou <= upper:
        return Kind.LOCALISATION, about
    about, iou = _most(ious, objects[~same[objects]])
    if about >= 0 and iou >= upper:
        return Kind.CLASSIFICATION, about
    about, iou = _most(ious, objects[(same & taken)[objects]])
    if about >= 0 and iou >= upper:
        return Kind.DUPLICATE, about
    about, iou = _most(ious, objects)
    return (Kind.BACKGROUND, -1) if iou <= lower else (Kind.BOTH, about)


def _most(ious: np.ndarray, columns: np.ndarray) -> tuple[int, float]:
    """Of `columns`, the first with the largest IoU, and that IoU; -1 and 0 without any."""
    if not len(columns):
        return -1, 0.0
    best = int(columns[np.argmax(ious[columns])])
    return best, float(ious[best])

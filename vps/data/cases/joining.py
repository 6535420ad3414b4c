"""The entries of a list of VPS or PhaseWin, joined to the images and annotations of a data set."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

import numpy as np

from vps.core.detect import Detection
from vps.core.names import name_key
from vps.core.targets import Box, Kind
from vps.data.cases.asking import Vocabulary
from vps.data.cases.cases import Case
from vps.data.cases.matching import overlaps
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.vps_list import NO_DETECTION, NOT_SAID, TargetChoice, VpsEntry
from vps.data.sample import Id, Sample
from vps.errors import InputError, one_line

NO_SUCH_IMAGE = "entry of an image that the data set does not have"
TWO_IMAGES = "entry whose image_id and file name are of two images"
NOT_READ = "entry of an image that cannot be read"
UNKNOWN_CLASS = "entry of a class that neither the data set nor the detector has"
UNHEARD_CLASS = "entry of a class that the detector does not know"
OUTSIDE = "entry whose box lies outside its image"
REPEATED = "entry that the list has already: the same image, annotation, class and box"
UNKNOWN_SAID = "entry whose predicted class the detector does not know"
NOT_JOINED = "entry that no annotation of its class overlaps by half: its object has no id and mask"

_SMALL = (64, 64)  # what is needed of a large image whose pixels nobody looks at
_SAME = 0.5  # IoU from which an annotation is an entry's object; their boxes are rounded
_COCO = re.compile(r"COCO_[A-Za-z]+[0-9]{4}_([0-9]{12})(?:_[0-9]+)?")


def join_entries(
    entries: Iterable[VpsEntry],
    dataset: Dataset,
    kind: Kind,
    left_out: LeftOut,
    *,
    labels: tuple[str, ...] = (),
    rename: Mapping[str, str] | None = None,
    target: TargetChoice | None = None,
) -> tuple[Case, ...]:
    """The cases of a list, each with its image, and its annotation where there is one.

    Images are found by file name or id, however these are written: 000000000139.jpg,
    COCO_val2014_000000000139.jpg, "139" and 139 are one. Classes may differ in case, spaces and
    underscores. An entry's object is the annotation that it names by its id, or else the one of its
    class with the largest IoU, at least 0.5.

    Args:
        entries: of one section.
        dataset: that they are of; each image is opened once.
        kind: of the section's cases.
        left_out: counts what cannot be joined, or not wholly.
        labels: what the detector knows; not used in a grounding data set.
        rename: the detector's labels -> the data set's, where they differ.
        target: what a correct case explains; by default the truth.

    Returns:
        In the order of the list; labels are the detector's.

    Raises:
        InputError: no label in common; or, if `left_out` is strict, the first entry that cannot be
            joined.
    """
    images, words = _Images(dataset), _Words(dataset, labels, rename or {})
    last: Sample | None = None
    found = []
    asked: set[tuple[Id, Id | None, str, Box]] = set()
    for entry in entries:
        place = f"entry {entry.number}"
        named = images.find(entry)
        if len(named) != 1:
            said = ", ".join(
                [*entry.files, *([] if entry.image_id is None else [str(entry.image_id)])]
            )
            left_out.add(TWO_IMAGES if named else NO_SUCH_IMAGE, f"{place}: {said}", unit="entry")
            continue
        why, theirs, ours = words.of(entry.label)
        if why:
            left_out.add(why, f"{place}: {in_brief(entry.label)}", unit="entry")
            continue
        if last is None or last.image_id != named[0]:
            try:
                last = dataset.find(named[0], lambda size: _SMALL)
            except InputError as error:
                left_out.add(NOT_READ, f"{place}: {one_line(error)}", unit="entry")
                continue
        case = dataclasses.replace(entry.case(last.image_id, kind, target), label=ours)
        try:
            case.target.check_inside(last.size)
        except InputError as error:
            left_out.add(OUTSIDE, f"{place}: {one_line(error)}", unit="entry")
            continue
        same = (case.image_id, entry.annotation_id, ours, entry.truth)
        if same in asked:
            left_out.add(REPEATED, place, unit="entry")
            continue
        asked.add(same)
        found.append(_completed(case, entry, last, theirs, words, left_out))
    _note_missing(found, entries, target, left_out)
    return tuple(found)


def _completed(
    case: Case, entry: VpsEntry, sample: Sample, theirs: str, words: _Words, left_out: LeftOut
) -> Case:
    """A case with what its annotation tells, and the predicted class in the detector's words."""
    said = None if case.predicted_label is None else words.of(case.predicted_label)[2] or None
    if said is None and case.predicted_label is not None:
        place = f"entry {entry.number}: {in_brief(case.predicted_label)}"
        left_out.note(UNKNOWN_SAID, place, unit="entry")
    case = dataclasses.replace(
        case, predicted_label=said, frequency=words.dataset.frequencies.get(theirs)
    )
    number = _annotation(entry, sample, theirs, words)
    if number is None:
        left_out.note(NOT_JOINED, f"entry {entry.number}: {in_brief(entry.label)}", unit="entry")
        return case
    return dataclasses.replace(
        case, object_id=sample.object_ids[number], area=float(sample.areas[number])
    )


def _annotation(entry: VpsEntry, sample: Sample, theirs: str, words: _Words) -> int | None:
    """The index of the annotation that an entry is about."""
    ious = overlaps([Detection(entry.truth, theirs, 1.0)], sample)[0]
    key = name_key(theirs)
    fits = np.array([name_key(words.merged(label)) == key for label in sample.labels], bool)
    ious = np.where(fits & ~sample.ignored, ious, 0.0)
    named = [
        index
        for index, own in enumerate(sample.object_ids)
        if own == entry.annotation_id and ious[index] >= _SAME
    ]
    best = named[0] if named else int(ious.argmax()) if len(ious) else None
    return best if best is not None and ious[best] >= _SAME else None


def _note_missing(
    cases: Iterable[Case],
    entries: Iterable[VpsEntry],
    target: TargetChoice | None,
    left_out: LeftOut,
) -> None:
    """Count the cases for which the list does not say what the detector did."""
    by_key = {f"l{entry.number}": entry for entry in entries}
    for case in cases:
        place, entry = f"entry {case.key[1:]}", by_key[case.key]
        rival = case.kind.traits.rival
        unsaid = case.predicted_label in (None, case.label) and not case.kind.traits.phrase
        if rival and (case.predicted_box is None or unsaid):
            left_out.note(NOT_SAID, place, unit="entry")
        if case.kind.traits.own_box and target == "detection" and entry.found is None:
            left_out.note(NO_DETECTION, place, unit="entry")


class _Images:
    """Finds the images of a data set by what lists call them."""

    def __init__(self, dataset: Dataset) -> None:
        self._ids: dict[str, Id | None] = {}
        for image_id in dataset.image_ids:
            names = {*_names(str(image_id)), *_names(dataset.picture_name(image_id))}
            for name in names:
                # What may be one of several is none.
                self._ids[name] = None if name in self._ids else image_id

    def find(self, entry: VpsEntry) -> tuple[Id, ...]:
        """The images that an entry names: one, or none, or two that contradict each other."""
        given = [*entry.files, *([] if entry.image_id is None else [str(entry.image_id)])]
        found = (self._one(text) for text in given)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def _one(self, text: str) -> Id | None:
        return next((self._ids[name] for name in _names(text) if name in self._ids), None)


def _names(text: str) -> Iterator[str]:
    """What a name of an image may be written as elsewhere, likeliest first."""
    path = PurePosixPath(text.replace("\\", "/"))
    yield text
    for stem in dict.fromkeys((path.name, path.stem)):
        yield stem
        number = _COCO.fullmatch(stem)
        digits = number[1] if number else stem
        if digits.isascii() and digits.isdigit():
            yield f"#{digits.lstrip('0') or '0'}"


class _Words:
    """Classes of a list in the words of data set and detector."""

    def __init__(
        self, dataset: Dataset, labels: tuple[str, ...], rename: Mapping[str, str]
    ) -> None:
        self.dataset = dataset
        self._phrases = dataset.grounding
        self._theirs = {name_key(label): label for label in reversed(dataset.labels)}
        self._ours = {name_key(label): label for label in reversed(labels)}
        self._shared = (
            Vocabulary({}, {})
            if dataset.grounding
            else Vocabulary.between(labels, dataset.labels, rename)
        )

    def of(self, label: str) -> tuple[str, str, str]:
        """Why a class cannot be used, or ""; its name in the data set; and the detector's."""
        if self._phrases:
            return "", label, label
        exact = label in self.dataset.labels
        theirs = label if exact else self._theirs.get(name_key(label))
        if theirs is None:
            ours = self._ours.get(name_key(label), "")
            return "" if ours else UNKNOWN_CLASS, label, ours
        theirs = self.merged(theirs)
        ours = self._shared.to_detector.get(theirs, "")
        return "" if ours else UNHEARD_CLASS, theirs, ours

    def merged(self, label: str) -> str:
        """The one name of labels that are one to the detector."""
        return self._shared.merged.get(label, label)

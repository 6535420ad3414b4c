"""The lists of cases that VPS (Chen et al., CVPR 2025) and PhaseWin evaluate on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import torch

from vps.core import boxes
from vps.core.names import choose
from vps.core.targets import Box, Kind, checked_box
from vps.data.cases.cases import Case
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.files import as_id, checked_format, existing_file, read_json
from vps.data.sample import Id
from vps.errors import InputError, one_line

LabelOf = Callable[[str, tuple[int, ...]], str]
"""The label at token positions of a caption, see `vps.core.detector.TokenReader.label_at`."""

TargetChoice = Literal["detection", "truth"]
"""Which box of a correct case is explained."""

NO_ENTRY = "entry that is not of the lists' form"
NOT_TOLD = "entry whose class cannot be told from its token positions"
NOT_SAID = "entry that does not say what was predicted instead: no repair can be looked for"
NO_DETECTION = "entry without the box of the detection: its truth is explained"


class SectionKinds(NamedTuple):
    """What the cases of a section are: objects of a detection set, or phrases."""

    object: Kind
    phrase: Kind


SECTIONS = {
    "case1": SectionKinds(Kind.CORRECT, Kind.GROUNDED_RIGHT),
    "case2": SectionKinds(Kind.CLASSIFICATION, Kind.GROUNDED_WRONG),
    "case3": SectionKinds(Kind.MISSED, Kind.MISSED),
}
"""Correct; of the wrong class, or grounded to the wrong thing; missed."""

_TRUTH = ("bbox", "gt_bbox")
_FOUND = ("predict_box", "predict_bbox", "predicted_box", "pred_box", "pred_bbox")
_SAID = (
    *("predict_category", "predict_class", "predict_label", "predicted_category"),
    *("predicted_class", "predicted_label", "pred_category", "pred_class", "pred_label"),
)
_SCORE = ("predict_score", "predicted_score", "pred_score", "score")
_FILES = ("file_name", "image_path")


@dataclass(frozen=True)
class VpsEntry:
    """An entry of a list, before it is joined to a data set.

    Attributes:
        number: its place, from 1.
        files, image_id: what it calls its image: file names, and an id where it has one.
        annotation_id: of the object, where it has one.
        label: the class or phrase, in the list's words.
        truth: xyxy, pixels.
        found, said: the box of what was predicted, and its class where that is another.
        score, iou: of the prediction, in [0, 1]; 0 where they are not given.
    """

    number: int
    files: tuple[str, ...]
    image_id: Id | None
    annotation_id: Id | None
    label: str
    truth: Box
    found: Box | None
    said: str | None
    score: float
    iou: float

    def case(self, image_id: Id, kind: Kind, target: TargetChoice | None = None) -> Case:
        """The case that it is, with its key "l1", "l2", ... and the area of the truth.

        Args:
            image_id: in the data set's words.
            kind: of its section.
            target: what a correct case explains; by default the truth, as the lists' authors do.
        """
        own = kind.traits.own_box and target == "detection" and self.found is not None
        rival = kind.traits.rival
        return Case(
            image_id=image_id,
            key=f"l{self.number}",
            kind=kind,
            box=self.found if own and self.found else self.truth,
            label=self.label,
            predicted_box=self.found if rival else None,
            predicted_label=self.said if rival else None,
            score=self.score,
            iou=self.iou,
            area=(self.truth[2] - self.truth[0]) * (self.truth[3] - self.truth[1]),
        )


def read_vps_list(
    path: str | PathLike[str],
    *,
    section: str | None = None,
    label_of: LabelOf | None = None,
    target: TargetChoice | None = None,
    phrases: bool = False,
) -> tuple[Case, ...]:
    """Read a list of cases, e.g. coco_groundingdino_correct_detection.json, by itself.

    An entry holds `bbox`, the truth, and perhaps `predict_box`, the detection, both xyxy in
    pixels, `category`, `predict_score` and `iou`. What is explained of a correct case is `bbox`, as
    by the lists' authors, or the detection; of a failure, the truth. `class_id` are positions of
    tokens in `caption`: what they mean only the tokenizer knows, so they are used only if there is
    no category. `vps.data.cases.joining.join_entries` joins entries to the images and annotations
    of a data set.

    Args:
        path: the JSON file: a list of entries, or an object with such a list for each section.
        section: a key of `SECTIONS`: which of these lists, or what a plain list holds; by default
            the only one of the file, or "case1".
        label_of: the label at token positions of a caption, for entries without a category.
        target: what a correct case explains.
        phrases: whether the labels are referring expressions, whose cases are of other kinds.

    Returns:
        Cases in the order of the list, with keys "l1", "l2", ... Image ids are numbers where they
        can be, as in COCO. The list does not say which annotation a case belongs to: `object_id` is
        None, and the area is that of the truth's box.

    Raises:
        InputError: the file is missing, truncated or no such list, an unknown section, or an entry
            of another form, or whose label cannot be told.
    """
    left_out = LeftOut()
    section, entries = read_entries(path, left_out, section=section, label_of=label_of)
    if left_out.counts:
        odd = "; ".join(left_out.lines())
        raise InputError(f"{path} is not in the form of the lists of VPS and PhaseWin: {odd}")
    kind = SECTIONS[section].phrase if phrases else SECTIONS[section].object
    return tuple(entry.case(_plain_id(entry), kind, target) for entry in entries)


def read_entries(
    path: str | PathLike[str],
    left_out: LeftOut,
    *,
    section: str | None = None,
    label_of: LabelOf | None = None,
) -> tuple[str, tuple[VpsEntry, ...]]:
    """The section that is read, and the entries that can be used; the others are counted.

    Args:
        path, section, label_of: see `read_vps_list`.
        left_out: what is told of entries that cannot be used.

    Raises:
        InputError: no such file, list or section, or nothing in it can be used.
    """
    path = existing_file(path, "list of cases")
    with checked_format(path, "the form of the lists of VPS and PhaseWin"):
        content = read_json(path)
        name, entries = _section(content, section, path)
        found = tuple(_usable(entries, label_of, left_out))
        if entries and not found:
            raise ValueError("; ".join(["none of its entries can be used", *left_out.lines()]))
    return name, found


def _section(content: Any, section: str | None, path: Path) -> tuple[str, list[Any]]:
    """The name and the entries of a section."""
    if section is not None:
        choose(SECTIONS, section, "section")
    if isinstance(content, dict):
        named = [name for name in SECTIONS if name in content]
        if not named:
            keys = in_brief(list(content))
            raise ValueError(f"it has no section {', '.join(SECTIONS)}; its keys are {keys}")
        section = section or (named[0] if len(named) == 1 else "case1")
        content = choose(content, section, f"section of the list {path}")
    if not isinstance(content, list):
        raise TypeError(f"what should be a list of entries is {in_brief(content)}")
    return section or "case1", content


def _usable(
    entries: Sequence[Any], label_of: LabelOf | None, left_out: LeftOut
) -> Iterator[VpsEntry]:
    for number, entry in enumerate(entries, start=1):
        reason = NO_ENTRY
        try:
            if not isinstance(entry, Mapping):
                raise TypeError(f"it is {in_brief(entry)}")
            given = entry.get("category")
            if given is None:
                reason = NOT_TOLD
                given = _at_tokens(entry, entry.get("class_id"), label_of)
            reason = NO_ENTRY
            yield _entry(entry, number, given, label_of)
        except (InputError, KeyError, TypeError, ValueError) as error:
            why = f"{error} is missing" if isinstance(error, KeyError) else one_line(error)
            left_out.add(reason, f"entry {number}: {why}", unit="entry")


def _entry(entry: Mapping[str, Any], number: int, label: Any, label_of: LabelOf | None) -> VpsEntry:
    truth = _first(entry, _TRUTH)
    if truth is None:
        raise KeyError("bbox")
    found = _first(entry, _FOUND)
    files = tuple(str(entry[name]) for name in _FILES if entry.get(name))
    image_id = entry.get("image_id")
    if image_id is None and not files:
        raise KeyError("file_name")
    own_id = entry.get("id", entry.get("ann_id"))
    pair = _box(truth), None if found is None else _box(found)
    iou = entry.get("iou")
    read = VpsEntry(
        number=number,
        files=files,
        image_id=None if image_id is None else as_id(str(image_id)),
        annotation_id=None if own_id is None else as_id(str(own_id)),
        label=str(label),
        truth=pair[0],
        found=pair[1],
        said=_said(entry, label_of),
        score=float(_first(entry, _SCORE) or 0),
        iou=_overlap(*pair) if iou is None else float(iou),
    )
    # What cannot be explained is better said now than in the middle of a run.
    read.case("?", Kind.CLASSIFICATION).check()
    return read


def _said(entry: Mapping[str, Any], label_of: LabelOf | None) -> str | None:
    """The class that was predicted; None where it is not given, or in numbers without a meaning."""
    said = _first(entry, _SAID)
    if isinstance(said, list) and label_of is not None:
        return _at_tokens(entry, said, label_of)
    return said if isinstance(said, str) and said else None


def _at_tokens(entry: Mapping[str, Any], positions: Any, label_of: LabelOf | None) -> str:
    """The label at token positions, of which only the tokenizer knows what they mean."""
    if positions is None:
        raise InputError("it has neither category nor class_id")
    places = positions if isinstance(positions, list) else [positions]
    if label_of is None:
        raise InputError(
            "an entry has no category, and only the tokenizer knows the label at token positions "
            f"{in_brief(places)}: give label_of"
        )
    if not all(isinstance(place, int) and not isinstance(place, bool) for place in places):
        raise InputError(f"token positions must be whole numbers, got {in_brief(places)}")
    caption = entry.get("caption")
    if not isinstance(caption, str):
        raise InputError(f"token positions {in_brief(places)} are of a caption, and it has none")
    return label_of(caption, tuple(places))


def _first(entry: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value of the first of some fields that is there."""
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _plain_id(entry: VpsEntry) -> Id:
    if entry.image_id is not None:
        return entry.image_id
    return as_id(PurePosixPath(entry.files[0]).stem)


def _overlap(truth: Box, found: Box | None) -> float:
    if found is None:
        return 0.0
    pair = torch.tensor([truth, found], dtype=torch.float64)
    return float(boxes.iou(pair[:1], pair[1:]))


def _box(values: Any) -> Box:
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        raise TypeError(f"a box is four numbers, got {in_brief(values)}")
    x1, y1, x2, y2 = (float(value) for value in values)
    return checked_box((x1, y1, x2, y2))

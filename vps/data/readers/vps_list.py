"""The lists of cases that VPS (Chen et al., CVPR 2025) and PhaseWin evaluate on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import PurePosixPath
from typing import Any

from vps.core.names import choose
from vps.core.targets import Box, Kind
from vps.data.cases.cases import Case
from vps.data.readers.files import as_id, checked_format, existing_file, read_json
from vps.errors import InputError

LabelOf = Callable[[str, tuple[int, ...]], str]


def read_vps_list(
    path: str | PathLike[str], *, section: str = "case1", label_of: LabelOf | None = None
) -> tuple[Case, ...]:
    """Read a list of correctly detected objects, e.g. coco_groundingdino_correct_detection.json.

    An entry holds `bbox`, the truth, and `predict_box`, the detection, both xyxy in pixels,
    `category`, `predict_score` and `iou`. Explained is the detection, or the truth in entries
    without one, as in the lists of VPS itself. `class_id` are positions of tokens in `caption`:
    what they mean only the tokenizer knows, so they are used only if there is no category.

    Args:
        path: the JSON file: a list of entries, or an object with such a list for each kind of case.
        section: which of these lists.
        label_of: the label at token positions of a caption, for entries without a category.

    Returns:
        Cases of kind correct, in the order of the list, with keys "l1", "l2", ... Image ids are
        numbers where they can be, as in COCO. The list does not say which annotation a case
        belongs to: `object_id` is None, and the area is that of the truth's box.

    Raises:
        InputError: the file is missing, truncated or no such list, or a label cannot be told.
    """
    path = existing_file(path, "list of cases")
    with checked_format(path, "the form of the lists of VPS and PhaseWin"):
        entries = read_json(path)
        if isinstance(entries, dict):
            entries = choose(entries, section, f"section of the list {path}")
        if not isinstance(entries, list):
            raise TypeError(f"it holds a {type(entries).__name__}, not a list")
        return tuple(
            _case(entry, f"l{number}", label_of) for number, entry in enumerate(entries, start=1)
        )


def _case(entry: Mapping[str, Any], key: str, label_of: LabelOf | None) -> Case:
    truth = _box(entry["bbox"])
    found = _box(entry["predict_box"]) if "predict_box" in entry else truth
    name = entry.get("image_path") or entry["file_name"]
    label = str(entry["category"]) if "category" in entry else _label(entry, label_of)
    case = Case(
        image_id=as_id(str(entry.get("image_id", PurePosixPath(name).stem))),
        key=key,
        kind=Kind.CORRECT,
        box=found,
        label=label,
        score=float(entry.get("predict_score", 0)),
        iou=float(entry.get("iou", 0)),
        area=(truth[2] - truth[0]) * (truth[3] - truth[1]),
    )
    # What cannot be explained is better said now than in the middle of a run.
    case.check()
    return case


def _label(entry: Mapping[str, Any], label_of: LabelOf | None) -> str:
    if label_of is None:
        raise InputError(
            "an entry has no category, and only the tokenizer knows the label at token positions "
            f"{entry['class_id']}: give label_of"
        )
    return label_of(entry["caption"], tuple(entry["class_id"]))


def _box(values: Sequence[float]) -> Box:
    x1, y1, x2, y2 = (float(value) for value in values)
    return x1, y1, x2, y2

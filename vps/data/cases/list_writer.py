"""Lists of cases in the form of VPS and PhaseWin, so that their scripts run on ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.files import write_atomically
from vps.core.targets import Box
from vps.data.cases.cases import Case
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut
from vps.data.readers.vps_list import SECTIONS
from vps.errors import InputError, one_line
from vps.results.vps_record import whole_box

NO_SECTION = "case of a kind that the lists of VPS do not have"
NO_TRUTH = "case whose object is not annotated"

TokensOf = Callable[[str], tuple[str, tuple[int, ...]]]
"""The caption in which a label is asked for, and its tokens there, see
`vps.core.detector.TokenReader.tokens_of`."""


def write_vps_list(
    path: str | PathLike[str],
    cases: Iterable[Case],
    dataset: Dataset,
    *,
    tokens_of: TokensOf | None = None,
) -> LeftOut:
    """Write cases as `{"case1": [...], "case2": [...], "case3": [...]}`, sections without any left
    out.

    Boxes become whole pixels, as in the published lists: `bbox` the truth, and `predict_box` what
    the detector found, where it is known. `file_name` and `image_path` are the image's name
    without folders, `id` is that of the annotation, and `class_id` with `caption` are token
    positions, which PhaseWin reads. A case of kind localisation, both, duplicate or background has
    no section.

    Args:
        path: of the JSON file.
        cases: with labels of the detector.
        dataset: that they are of; the images with cases are opened for the truth's boxes.
        tokens_of: asked for each label; without it, there are no `class_id` and `caption`.

    Returns:
        What was left out, by reason.

    Raises:
        OutputError: the file cannot be written.
        InputError: none of the cases has a section, or an image cannot be opened.
    """
    left_out = LeftOut()
    sections: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        place = f"case {case.key} of image {case.image_id}"
        section = next((name for name, kinds in SECTIONS.items() if case.kind in kinds), None)
        truth = None if section is None else _truth(case, dataset)
        if section is None or truth is None:
            reason = NO_SECTION if section is None else NO_TRUTH
            left_out.add(reason, f"{place}, {case.kind.value}", unit="case")
            continue
        entry = _entry(case, truth, dataset.picture_name(case.image_id))
        if tokens_of is not None:
            entry["caption"], places = tokens_of(case.label)
            entry["class_id"] = list(places)
        sections.setdefault(section, []).append(entry)
    if not sections:
        why = "; ".join(left_out.lines()) or "there are none"
        raise InputError(f"no case can be written as a list of VPS: {why}")
    content = {name: sections[name] for name in SECTIONS if name in sections}
    write_atomically(Path(path), json.dumps(content, indent=1).encode())
    return left_out


def _entry(case: Case, truth: Box, file_name: str) -> dict[str, Any]:
    rival = case.kind.traits.rival
    # Where the truth is explained of a correct case, nobody remembers the detection's box.
    found = case.predicted_box if rival else case.box if case.box != truth else None
    entry: dict[str, Any] = {
        "file_name": file_name,
        "image_path": file_name,
        "image_id": str(case.image_id),
        "category": case.label,
        "bbox": whole_box(truth),
    }
    if case.object_id is not None:
        entry["id"] = case.object_id
    if found is not None:
        entry["predict_box"] = whole_box(found)
    if case.predicted_label is not None:
        entry["predict_category"] = case.predicted_label
    if case.score:
        entry |= {"predict_score": case.score, "iou": case.iou}
    return entry


def _truth(case: Case, dataset: Dataset) -> Box | None:
    """The box of a case's object; a failure's own target is it."""
    if not case.kind.traits.own_box:
        return case.box
    if case.object_id is None:
        return None
    try:
        sample = dataset.find(case.image_id)
        number = sample.object_ids.index(case.object_id)
    except ValueError as error:
        raise InputError(f"case {case.key} of image {case.image_id}: {one_line(error)}") from error
    x1, y1, x2, y2 = sample.boxes[number].tolist()
    return x1, y1, x2, y2

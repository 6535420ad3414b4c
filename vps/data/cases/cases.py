"""What a study explains: cases, and the list that a person can read and a run starts from."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.files import write_atomically
from vps.core.json_files import read_json_record
from vps.core.numbers import check_range
from vps.core.schema import build, read_fields
from vps.core.targets import Box, Kind, Target, with_new_names
from vps.data.sample import Id
from vps.errors import InputError, one_line, quoted

LIST_VERSION = 1

_ONE = 1 + 1e-6  # a share, but for rounding


@dataclass(frozen=True)
class Case:
    """One thing to explain: a detection, an object that was missed, or a phrase.

    Attributes:
        image_id: the data set's own.
        key: names the case within its image: "d3" for detection 3 of the image (by falling score,
            from 1), "a17" for annotation 17, where there is no detection, and for phrases; "n17"
            for phrase 17, of no object.
        kind: of the case, by TIDE.
        box, label: what is explained, see `vps.core.targets.Target`.
        predicted_box, predicted_label: what the detector gave instead, where box and label are the
            truth.
        score: of the detection; 0 where there is none.
        iou: of the detection with the annotation; 0 where one of them is missing.
        object_id: the annotation that the case belongs to; None for boxes on nothing.
        area: of the annotation in pixels, or of the box where there is none: COCO's small, medium
            and large go by it.
        frequency: of the label in LVIS: "r", "c" or "f"; None elsewhere.
    """

    image_id: Id
    key: str
    kind: Kind
    box: Box
    label: str
    predicted_box: Box | None = None
    predicted_label: str | None = None
    score: float = 0.0
    iou: float = 0.0
    object_id: Id | None = None
    area: float = 0.0
    frequency: str | None = None

    @property
    def target(self) -> Target:
        """What `vps.explaining.explain.explain` takes."""
        return Target(self.box, self.label, self.kind, self.predicted_label, self.predicted_box)

    def check(self) -> None:
        """Raise InputError where a list holds what no case can be.

        Refused are boxes without an area, an empty label or key, a score or IoU outside [0, 1], and
        an area that is negative or not finite.
        """
        if not self.key:
            raise InputError("key must not be empty: it tells the cases of an image apart")
        for name, high in (("score", _ONE), ("iou", _ONE), ("area", sys.float_info.max)):
            check_range(name, getattr(self, name), high=high)
        # Making the target checks its boxes.
        _ = self.target

    @property
    def size(self) -> str:
        """ "small" below 32 x 32 pixels, "medium" below 96 x 96, else "large", as in COCO."""
        return "small" if self.area < 32**2 else "medium" if self.area < 96**2 else "large"


@dataclass(frozen=True)
class CaseList:
    """Cases of one data set, with all that tells how they came about.

    Attributes:
        dataset: its name.
        detector: name of the detector.
        labels: what it was asked for; empty where each phrase is asked alone.
        settings: of matching and sampling, by name.
        counts: how many there were of each kind before any was left out, and totals, see
            `vps.data.cases.select.select_cases`.
        skipped: what could not be used: {"image_id": ..., "reason": ...} each; without an image,
            the id is None.
        versions: of the libraries involved.
        cases: in the order of the run.
    """

    dataset: str
    detector: str
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    cases: tuple[Case, ...]
    skipped: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def remarks(self) -> list[str]:
        """What could not be used, or not as it stands: of the data set, then of single images."""
        lines = [entry["reason"] for entry in self.skipped if entry["image_id"] is None]
        images = [entry for entry in self.skipped if entry["image_id"] is not None]
        if images:
            about = dict.fromkeys(entry["image_id"] for entry in images)
            many = "image" if len(about) == 1 else "images"
            lines.append(f"{len(about)} {many} skipped, e.g. {images[0]['reason']}")
        return lines

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the list as JSON, one case a line.

        Raises:
            OutputError: the file cannot be written.
        """
        record = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        record["cases"] = [dataclasses.asdict(case) for case in self.cases]
        entries = [
            f" {json.dumps(name)}: {_lines(value)}"
            for name, value in {"version": LIST_VERSION, **record}.items()
        ]
        path = Path(path)
        write_atomically(path, ("{\n" + ",\n".join(entries) + "\n}\n").encode())
        return path

    @classmethod
    def load(cls, path: str | PathLike[str]) -> CaseList:
        """Read a list; what a person has taken out of `cases` or changed there is respected.

        Raises:
            InputError: the file is missing, truncated or no list of cases, or two of its cases
                have one key.
        """
        path = Path(path)
        record = read_json_record(path, "case list")
        if "cases" not in record:
            raise InputError(f"{path} is no list of cases: it has no entry 'cases'")
        version = record.pop("version", None)
        if version != LIST_VERSION:
            raise InputError(
                f"case list {path} is of version {quoted(version)}, not {LIST_VERSION}; "
                "select the cases again"
            )
        try:
            cases = _read_cases(record.pop("cases"))
            return cls(cases=cases, **read_fields(cls, record, given=("cases",)))
        except InputError as error:
            raise InputError(f"{path} is no list of cases: {one_line(error)}") from error


def _lines(value: Any) -> str:
    """JSON with an entry of a mapping a line, and so a record of a list; all else is one line."""
    if isinstance(value, Mapping) and value:
        items = [f"{json.dumps(name)}: {json.dumps(item)}" for name, item in value.items()]
        return "{\n  " + ",\n  ".join(items) + "\n }"
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)


def _read_cases(entries: Any) -> tuple[Case, ...]:
    """Checked cases; the errors say which entry is wrong."""
    if not isinstance(entries, list):
        raise InputError(f"cases must be a list, got {quoted(entries)}")
    cases: dict[tuple[Id, str], Case] = {}
    for number, entry in enumerate(entries, start=1):
        named = with_new_names(entry) if isinstance(entry, dict) else entry
        case: Case = build(Case, named, f"case {number}")
        try:
            case.check()
        except InputError as error:
            raise InputError(f"case {number}: {error}") from error
        if cases.setdefault((case.image_id, case.key), case) is not case:
            raise InputError(f"image {case.image_id} has two cases {case.key!r}")
    return tuple(cases.values())

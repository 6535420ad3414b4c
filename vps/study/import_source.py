"""Results of VPS and PhaseWin one by one, with what list, images and other results tell of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vps.core.json_files import read_json_record
from vps.core.names import choose
from vps.core.schema import build
from vps.core.targets import Box, Kind, Target
from vps.data.cases.cases import Case
from vps.data.left_out import LeftOut
from vps.data.readers.files import as_id
from vps.data.readers.vps_list import SECTIONS, VpsEntry, read_entries
from vps.errors import InputError, one_line
from vps.results.vps_files import OURS, VpsResult, read_vps_result
from vps.results.vps_record import whole_box
from vps.study.result_names import FoundImage, Images, entries_by_name, split_name

DAMAGED = "result that cannot be used"
WITHOUT_IMAGE = "result whose image is not in the folder of images, or not told by its name"

IMPORTED = "imported"
"""The data set of results that do not tell theirs."""


@dataclass(frozen=True)
class ImportSettings:
    """What is known of results beside their files.

    Attributes:
        images: the folder of the images; without it there are no pictures and no pointing games.
        cases, section: the list of VPS or PhaseWin that the results are of: it tells classes,
            boxes, scores and what was predicted instead.
        kind: of the cases; by default that of the section, for objects, or correct.
    """

    images: Path | None = None
    cases: Path | None = None
    section: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True, eq=False)
class ImportedResult:
    """A result that can be used, and what it is of."""

    method: str
    dataset: str
    case: Case
    truth_box: Box | None
    result: VpsResult
    image: FoundImage | None


class _Told(NamedTuple):
    """What a result that this project has written tells of its case."""

    dataset: str
    case: Case
    truth_box: Box | None


class ResultSource:
    """Reads results, with all that list and images tell of them."""

    def __init__(self, settings: ImportSettings, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._images = Images(settings.images)
        self._pictured = settings.images is not None
        self._entries: dict[str, VpsEntry] = {}
        self._told: dict[str, _Told] = {}
        self._kind = settings.kind or Kind.CORRECT
        if settings.cases is not None:
            section, entries = read_entries(settings.cases, left_out, section=settings.section)
            self._kind = settings.kind or SECTIONS[section].object
            self._entries = entries_by_name(entries)
        elif settings.section is not None:
            self._kind = settings.kind or choose(SECTIONS, settings.section, "section").object

    def results(self, folders: Mapping[str, Path]) -> Iterator[ImportedResult]:
        """Those that can be used; the others are counted.

        Those that this project has written come first: they tell of which case and data set others
        of the same name are.
        """
        for method, folder in sorted(folders.items(), key=lambda item: record_of(item[1]) is None):
            for path in sorted((folder / "json").glob("*.json")):
                name = path.stem
                try:
                    yield self._read(method, folder, name)
                except InputError as error:
                    place = f"{folder}: {one_line(error)}"
                    self._left_out.add(DAMAGED, place, unit="result")

    def _read(self, method: str, folder: Path, name: str) -> ImportedResult:
        image = self._images.find(name)
        if image is None and self._pictured:
            self._left_out.note(WITHOUT_IMAGE, f"{folder}: {name}", unit="result")
        entry = self._entry(name)
        target = None if entry is None else entry.case("?", self._kind).target
        size = None if image is None else image.size
        result = read_vps_result(folder, name, image_size=size, target=target)
        if result.about:
            case: Case = build(Case, result.about.get("case"), "vps.case")
            case.check()
            dataset = build(str, result.about.get("dataset"), "vps.dataset")
            truth = build(tuple[float, float, float, float] | None, result.about.get("truth_box"))
            self._told.setdefault(name, _Told(dataset, case, truth))
            return ImportedResult(method, dataset, case, truth, result, image)
        if name in self._told:
            return self._like(self._told[name], method, result, image)
        case = self._case(name, result.explanation.target, entry, image)
        return ImportedResult(method, IMPORTED, case, None, result, image)

    def _like(
        self, told: _Told, method: str, result: VpsResult, image: FoundImage | None
    ) -> ImportedResult:
        """A result of a case that another tells, where it is of the same box."""
        explanation, case = result.explanation, told.case
        if whole_box(explanation.target.box) == whole_box(case.box):
            explanation = dataclasses.replace(explanation, target=case.target)
        else:
            case = dataclasses.replace(case, box=explanation.target.box)
        result = dataclasses.replace(result, explanation=explanation)
        return ImportedResult(method, told.dataset, case, told.truth_box, result, image)

    def _case(
        self, name: str, target: Target, entry: VpsEntry | None, image: FoundImage | None
    ) -> Case:
        stem, own = split_name(name, None if image is None else image.stem)
        if entry is not None:
            return dataclasses.replace(entry.case(as_id(stem), self._kind), key=own)
        x1, y1, x2, y2 = target.box
        area = (x2 - x1) * (y2 - y1)
        return Case(as_id(stem), own, self._kind, target.box, target.label, area=area)

    def _entry(self, name: str) -> VpsEntry | None:
        """The entry of the list that a result is of."""
        if not self._entries:
            return None
        if name not in self._entries:
            raise InputError(f"result {name} is of no entry of the list")
        return self._entries[name]


def record_of(folder: Path) -> Mapping[str, Any] | None:
    """What this project has noted in the first result of a folder that can be read; None in files
    of others."""
    for path in sorted((folder / "json").glob("*.json")):
        with contextlib.suppress(InputError):
            noted = read_json_record(path, "result").get(OURS)
            return noted if isinstance(noted, dict) else None
    return None

"""Results of VPS and PhaseWin as a study of this project: tables, page, comparison."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from vps.core.images import read_image
from vps.core.json_files import read_json_record
from vps.core.names import choose
from vps.core.schema import build
from vps.core.targets import Box, Kind, Target
from vps.data.cases.cases import Case, CaseList
from vps.data.cases.looking import skip_note
from vps.data.left_out import LeftOut
from vps.data.readers.files import as_id
from vps.data.readers.vps_list import SECTIONS, VpsEntry, read_entries
from vps.errors import InputError, one_line
from vps.methods import make_method
from vps.methods.search.vps import VPS
from vps.metrics.measures import Fidelity
from vps.report.figures.thumbnail import thumbnail
from vps.results.vps_files import OURS, VpsResult, read_vps_result
from vps.results.vps_record import whole_box
from vps.study.case import row_of
from vps.study.config import StudyConfig, config_from
from vps.study.looks import list_path
from vps.study.plan import Task
from vps.study.result_names import FoundImage, Images, split_name
from vps.study.store import Store, facts_of

DAMAGED = "result that cannot be used"
OTHER_TARGET = "result whose target is another than in the first folder that has the case"
UNSIZED = "the size of the image is not known: no pointing games; name the folder of the images"
UNCOUNTED = "the files do not tell how many passes the method took"

_DATASET = "imported"
_POINTING = ("pointing", "energy_pointing")


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
class _Known:
    """What is known of an imported case, see `vps.study.case.KnownCase`."""

    image_name: str
    truth_box: Box | None
    mask: np.ndarray | None = None
    fidelity: Fidelity | None = None


@dataclass(frozen=True, eq=False)
class _Found:
    """A result that can be used, and what it is of."""

    method: str
    dataset: str
    case: Case
    truth_box: Box | None
    result: VpsResult
    image: FoundImage | None


def import_results(
    folders: Mapping[str, Path],
    out: Path,
    settings: ImportSettings | None = None,
    overrides: Sequence[str] = (),
) -> tuple[StudyConfig, int]:
    """Write a study of results that are there: rows, explanations and pictures, no report.

    Args:
        folders: method -> folder of its results, with json/ and npy/ in it.
        out: the study's folder.
        settings: what else is known.
        overrides: of the study's config, as "metrics.success_score=0.3".

    Returns:
        The study's settings, and how many results could not be used; its lists say why.

    Raises:
        InputError: a folder without results, a study that is there already, or no result that can
            be used.
        OutputError: a file cannot be written.
    """
    settings = settings or ImportSettings()
    if (out / "config.yaml").exists():
        raise InputError(f"{out} holds a study already: name another folder")
    for name, folder in folders.items():
        if not (folder / "json").is_dir():
            raise InputError(f"{folder} ({name}) holds no results of VPS: it has no folder json/")
    left_out = LeftOut()
    source = _Source(settings, left_out)
    lists: dict[str, dict[tuple[Any, str], Case]] = {}
    config = _config(folders, out, settings, overrides)
    rows = 0
    # One at a time: their masks are large. Whatever they depend on comes with them.
    for found in source.results(folders):
        cases = lists.setdefault(found.dataset, {})
        known = cases.setdefault((found.case.image_id, found.case.key), found.case)
        if whole_box(known.box) != whole_box(found.case.box) or known.label != found.case.label:
            place = f"{found.method}, {found.result.name}"
            left_out.add(OTHER_TARGET, place, unit="result")
            continue
        _write(config, found, known)
        rows += 1
    if not rows:
        why = "; ".join(left_out.lines()) or "the folders are empty"
        raise InputError(f"no result can be used: {why}")
    remarks = tuple(skip_note(line) for line in left_out.lines())
    config = _named(config, lists)
    for number, (name, cases) in enumerate(lists.items()):
        # What is wrong with a folder is said once.
        own = remarks if number == 0 else ()
        _list_of(name, tuple(cases.values()), own).save(list_path(config, name))
    config.save(out / "config.yaml")
    return config, sum(left_out.counts.values())


def _config(
    folders: Mapping[str, Path], out: Path, settings: ImportSettings, overrides: Sequence[str]
) -> StudyConfig:
    content: dict[str, Any] = {
        "name": out.name,
        "out": str(out),
        "datasets": {_DATASET: _dataset(settings)},
        "detector": {"name": "imported"},
        "methods": {name: _method(folder) for name, folder in folders.items()},
    }
    return config_from(content, overrides, f"the config of {out}")


def _dataset(settings: ImportSettings) -> dict[str, Any]:
    images = None if settings.images is None else str(settings.images)
    return {"format": "coco", "annotations": "", "images": images}


def _named(config: StudyConfig, names: Iterable[str]) -> StudyConfig:
    """The settings of a study of data sets of these names."""
    data = next(iter(config.datasets.values()))
    return dataclasses.replace(config, datasets=dict.fromkeys(names, data))


def _method(folder: Path) -> dict[str, Any]:
    """The method of a folder and its settings, where it is of this project; else VPS.

    What a method of theirs was set to is not in the files, and nothing is to be said of it.
    """
    for path in sorted((folder / "json").glob("*.json"))[:1]:
        with contextlib.suppress(InputError, KeyError, TypeError):
            told = read_json_record(path, "result")[OURS]["explanation"]
            make_method(told["method"], told["options"])
            return {"method": told["method"], "options": told["options"]}
    return {"method": VPS.name}


def _write(config: StudyConfig, found: _Found, case: Case) -> None:
    """Explanation, picture and row of a result."""
    config = _named(config, [found.dataset])
    cases = _list_of(found.dataset, (case,), ())
    store, task = Store(config, facts_of({found.dataset: cases})), Task(found.dataset, case)
    explanation, method = found.result.explanation, found.method
    if not found.result.sized:
        warned = (*explanation.warnings, UNSIZED)
        explanation = dataclasses.replace(explanation, warnings=warned)
    explanation.save(store.path(task, method))
    picture = None
    if found.image is not None and config.run.pictures:
        thumbnail(explanation, read_image(found.image.path), store.path(task, method, ".jpg"))
        picture = store.picture(task, method)
    known = _Known(explanation.image_name or found.result.name, found.truth_box)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # The row has them.
        digest = store.digest(task, method)
        row = row_of(task, method, digest, explanation, known, config, picture, None)
    metrics = row["metrics"]
    if not found.result.sized:
        metrics = {name: value for name, value in metrics.items() if not name.startswith(_POINTING)}
    if not found.result.counted:
        metrics = {name: one for name, one in metrics.items() if name not in ("passes", "seconds")}
    store.save_row(task, method, {**row, "metrics": metrics})


def _list_of(
    name: str, cases: tuple[Case, ...], skipped: tuple[Mapping[str, Any], ...]
) -> CaseList:
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.kind.value] = counts.get(case.kind.value, 0) + 1
    return CaseList(name, "imported", (), {}, counts, cases, skipped)


class _Source:
    """Reads results, with all that list and images tell of them."""

    def __init__(self, settings: ImportSettings, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._images = Images(settings.images)
        self._entries: dict[str, VpsEntry] = {}
        self._kind = settings.kind or Kind.CORRECT
        if settings.cases is not None:
            section, entries = read_entries(settings.cases, left_out, section=settings.section)
            self._kind = settings.kind or SECTIONS[section].object
            self._entries = _by_name(entries)
        elif settings.section is not None:
            self._kind = settings.kind or choose(SECTIONS, settings.section, "section").object

    def results(self, folders: Mapping[str, Path]) -> Iterator[_Found]:
        """Those that can be used; the others are counted."""
        for method, folder in folders.items():
            for path in sorted((folder / "json").glob("*.json")):
                name = path.stem
                try:
                    yield self._read(method, folder, name)
                except InputError as error:
                    place = f"{folder}: {one_line(error)}"
                    self._left_out.add(DAMAGED, place, unit="result")

    def _read(self, method: str, folder: Path, name: str) -> _Found:
        image = self._images.find(name)
        entry = self._entry(name)
        target = None if entry is None else entry.case("?", self._kind).target
        size = None if image is None else image.size
        result = read_vps_result(folder, name, image_size=size, target=target)
        if result.about:
            case: Case = build(Case, result.about.get("case"), "vps.case")
            case.check()
            dataset = build(str, result.about.get("dataset"), "vps.dataset")
            truth = build(tuple[float, float, float, float] | None, result.about.get("truth_box"))
            return _Found(method, dataset, case, truth, result, image)
        case = self._case(name, result.explanation.target, entry, image)
        return _Found(method, _DATASET, case, None, result, image)

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


def _by_name(entries: Sequence[VpsEntry]) -> dict[str, VpsEntry]:
    """Entries by the names that results of them bear: <image>_<id>, or <image> of its only one."""
    found: dict[str, list[VpsEntry]] = {}
    for entry in entries:
        for stem in {PurePath(name).stem for name in entry.files} or {str(entry.image_id)}:
            found.setdefault(stem, []).append(entry)
            if entry.annotation_id is not None:
                found.setdefault(f"{stem}_{entry.annotation_id}", []).append(entry)
    return {name: own[0] for name, own in found.items() if len(own) == 1}

"""Results of VPS and PhaseWin as a study of this project: tables, page, comparison."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vps.core.images import read_image
from vps.core.targets import Box
from vps.data.cases.cases import Case, CaseList
from vps.data.cases.looking import skip_note
from vps.data.left_out import LeftOut
from vps.errors import InputError
from vps.methods import make_method
from vps.methods.search.vps import VPS
from vps.metrics.measures import Fidelity
from vps.report.figures.thumbnail import thumbnail
from vps.results.vps_record import whole_box
from vps.study.case import row_of
from vps.study.config import StudyConfig, config_from
from vps.study.import_source import (
    IMPORTED,
    WITHOUT_IMAGE,
    ImportedResult,
    ImportSettings,
    ResultSource,
    record_of,
)
from vps.study.looks import list_path
from vps.study.plan import Task
from vps.study.store import Store, facts_of

OTHER_TARGET = "result whose target is another than in the first folder that has the case"
UNSIZED = "the size of the image is not known: no pointing games; name the folder of the images"
UNCOUNTED = "the files do not tell how many passes the method took"

_POINTING = ("pointing", "energy_pointing")


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of an imported case, see `vps.study.case.KnownCase`."""

    image_name: str
    truth_box: Box | None
    mask: np.ndarray | None = None
    fidelity: Fidelity | None = None


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
    source = ResultSource(settings, left_out)
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
    unused = {reason: n for reason, n in left_out.counts.items() if reason != WITHOUT_IMAGE}
    return config, sum(unused.values())


def _config(
    folders: Mapping[str, Path], out: Path, settings: ImportSettings, overrides: Sequence[str]
) -> StudyConfig:
    content: dict[str, Any] = {
        "name": out.name,
        "out": str(out),
        "datasets": {IMPORTED: _dataset(settings)},
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
    with contextlib.suppress(InputError, KeyError, TypeError):
        told = (record_of(folder) or {})["explanation"]
        make_method(told["method"], told["options"])
        return {"method": told["method"], "options": told["options"]}
    return {"method": VPS.name}


def _write(config: StudyConfig, found: ImportedResult, case: Case) -> None:
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

"""The page of a reliance table: what leans on what, with the cases behind each claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from vps.core.files import encoded, written_atomically
from vps.core.images import stored_size
from vps.core.targets import Kind
from vps.metrics.aggregate import Interval
from vps.reliance.facts import CaseFacts, OtherObjects
from vps.reliance.means import MEAN_COLUMNS, ClassMeans
from vps.reliance.study import CaseRecord
from vps.reliance.table import VERDICTS, Entry, RelianceSettings, RelianceVerdict
from vps.report.tables.gallery import GALLERY_PAGE

_TEMPLATE = "page.html"
_CARDS = 24  # entries whose cases are shown
_CASES = 8  # of each
_CLASSES = 30  # whose means are shown
_LINES = 1000  # of the table of pairs

_SHOWN = (RelianceVerdict.VERIFIED, RelianceVerdict.EVIDENCE, RelianceVerdict.EFFECT)


def write_reliance_page(
    path: Path,
    name: str,
    tables: Mapping[str, Sequence[Entry]],
    means: Mapping[str, Sequence[ClassMeans]],
    records: Sequence[CaseRecord],
    settings: RelianceSettings,
    *,
    method: str,
    notes: Sequence[str],
    plots: Mapping[str, Path],
) -> Path:
    """Write the page; it needs the plots and the pictures of the study beside it.

    Args:
        path: of the page, in the study's folder.
        name: of the study.
        tables, means: of each data set.
        records: of the cases.
        settings: of the tables.
        method: whose maps were read.
        notes: what is worth knowing.
        plots: png files, by data set.

    Raises:
        OutputError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("vps.reliance", "."), autoescape=True)
    beside = _by_pair(records)
    sections = [
        {
            "name": dataset,
            "plot": _plot(plots[dataset], path) if dataset in plots else None,
            "heads": MEAN_COLUMNS,
            "means": [_mean_row(one) for one in means[dataset][:_CLASSES]],
            "classes": len(means[dataset]) - 1,
            "cards": [
                _card(entry, beside[dataset, entry.label, entry.other])
                for entry in entries
                if entry.verdict in _SHOWN
            ][:_CARDS],
            "rows": [_row(entry) for entry in entries[:_LINES]],
            "pairs": len(entries),
        }
        for dataset, entries in tables.items()
    ]
    pieces = environment.get_template(_TEMPLATE).generate(
        name=name,
        method=method,
        notes=notes,
        sections=sections,
        verdicts={verdict.value: text for verdict, text in VERDICTS.items()},
        level=f"{1 - settings.level:.0%}",
        rate=f"{settings.level:.0%}",
        least=settings.least_images,
        gallery=GALLERY_PAGE,
    )
    with written_atomically(path) as file:
        for piece in pieces:
            file.write(encoded(piece))
    return path


def _plot(file: Path, page: Path) -> dict[str, Any]:
    height, width = stored_size(file)
    source = quote(file.relative_to(page.parent).as_posix())
    # In one scale with those of the study's page, so that letters are of one size.
    return {"source": source, "width": width, "height": height, "rem": round(width / 34, 1)}


def _by_pair(
    records: Sequence[CaseRecord],
) -> Mapping[tuple[str, str, str], list[tuple[CaseRecord, CaseFacts, OtherObjects]]]:
    """Cases by data set, label, and label of the objects beside them."""
    found: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for record in records:
        facts = record.facts
        if facts is None or facts.kind != Kind.CORRECT.value:
            continue
        for label, other in facts.others.items():
            found[facts.dataset, facts.label, label].append((record, facts, other))
    return found


def _card(
    entry: Entry, cases: Sequence[tuple[CaseRecord, CaseFacts, OtherObjects]]
) -> dict[str, Any]:
    """An entry with its cases, those that lose most first."""

    def lost(case: tuple[CaseRecord, CaseFacts, OtherObjects]) -> float:
        _, facts, other = case
        if other.hidden is None or not facts.score > 0:
            return -2.0
        return 1 - other.hidden / facts.score

    ordered = sorted(cases, key=lambda case: (-lost(case), -case[2].share))
    shown = ordered if len(ordered) <= _CASES else [*ordered[: _CASES - 1], ordered[-1]]
    filters = {"kind": Kind.CORRECT.value, "class": entry.label}
    return {
        **_row(entry),
        "text": list(_sentences(entry)),
        "all": f"{GALLERY_PAGE}#{urlencode(filters)}",
        "shown": len(shown),
        "cases_shown": [
            {
                "picture": None if record.picture is None else quote(record.picture),
                "address": _address(facts),
                "name": f"image {facts.image_id}, {facts.case}",
                "share": f"{other.share:.0%}",
                "chance": f"{other.chance:.0%}",
                "score": f"{facts.score:.2f}",
                "hidden": None if other.hidden is None else f"{other.hidden:.2f}",
                "elsewhere": ", ".join(f"{score:.2f}" for score in other.elsewhere),
            }
            for record, facts, other in shown
        ],
    }


def _address(facts: CaseFacts) -> str:
    """Where the gallery shows a case."""
    words = f"{facts.image_id} {facts.case}"
    filters = {"dataset": facts.dataset, "kind": facts.kind, "class": facts.label, "q": words}
    return f"{GALLERY_PAGE}#{urlencode(filters)}"


def _sentences(entry: Entry) -> Iterator[str]:
    """What the card says."""
    many = "detection" if entry.cases == 1 else "detections"
    yield (
        f"Beside {entry.cases} {many} of {entry.label} in {entry.images} images there is "
        f"{entry.other}. {entry.share:.1%} of the evidence lies in it, by chance "
        f"{entry.chance:.1%} (difference {_interval(entry.excess)}, q {_q(entry.q_evidence)})."
    )
    if entry.usual is not None:
        yield f"Detections of other classes would draw {entry.usual:.1%} from it."
    if entry.effect is not None and entry.fall is not None and entry.fall_elsewhere is not None:
        yield (
            f"With it hidden, the score falls by {entry.fall:.1%}; with as much hidden elsewhere, "
            f"by {entry.fall_elsewhere:.1%} (difference {_interval(entry.effect)}, q "
            f"{_q(entry.q_effect)}; {entry.measured} measured)."
        )
    yield (
        f"There is one in {entry.together:.0%} of the images with such a detection, and in "
        f"{entry.anywhere:.0%} of all ({entry.lift:.1f} times as often)."
    )


def _row(entry: Entry) -> dict[str, Any]:
    """An entry as texts."""
    return {
        "label": entry.label,
        "other": entry.other,
        "verdict": entry.verdict.value,
        "cases": entry.cases,
        "images": entry.images,
        "share": f"{entry.share:.1%}",
        "chance": f"{entry.chance:.1%}",
        "usual": "" if entry.usual is None else f"{entry.usual:.1%}",
        "excess": _interval(entry.excess),
        "q_evidence": _q(entry.q_evidence),
        "effect": "" if entry.effect is None else _interval(entry.effect),
        "q_effect": _q(entry.q_effect),
        "lift": f"{entry.lift:.1f}",
    }


def _mean_row(one: ClassMeans) -> dict[str, Any]:
    cells = []
    for name in MEAN_COLUMNS:
        found = one.means[name]
        as_share = name != "distance"
        form = ".0%" if as_share else ".2f"
        cells.append(
            ("", "")
            if found is None
            else (f"{found.mean:{form}}", f"[{found.low:{form}}, {found.high:{form}}]")
        )
    return {"label": one.label or "all", "cases": one.cases, "images": one.images, "cells": cells}


def _interval(found: Interval) -> str:
    return f"{found.mean:+.1%} [{found.low:+.1%}, {found.high:+.1%}]"


def _q(value: float | None) -> str:
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"

"""What `vps compare` writes and prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vps.comparing.changes import CHANGES, Change, ClassCount, count_changes
from vps.comparing.explained import Comparison, ExplainedChange
from vps.comparing.outcomes import ObjectOutcome
from vps.core.files import encoded, write_atomically, written_atomically
from vps.core.schema import to_plain
from vps.metrics.aggregate import Interval
from vps.report.tables.escapes import csv_table

PICTURES = "compare"
"""The folder of the pictures, beside the page."""

_LEVEL = 0.95
_HEADS = (
    "dataset", "image_id", "object_id", "label", "x1", "y1", "x2", "y2", "change", "fate_a",
    "label_a", "score_a", "fate_b", "label_b", "score_b", "picture", "hide",
)  # fmt: skip


def write_comparison(out: Path, comparisons: Sequence[Comparison]) -> Path:
    """Write compare.html, compare.csv and compare.json.

    Args:
        out: the folder; the pictures lie below it, in `PICTURES`.
        comparisons: of each data set, or of the image.

    Returns:
        The path of the page.

    Raises:
        OutputError: a file cannot be written.
    """
    from jinja2 import Environment, PackageLoader

    rows = [row for one in comparisons for row in _rows(one)]
    write_atomically(out / "compare.csv", encoded(csv_table(_HEADS, rows)))
    counts = {one.name: count_changes(one.changes, level=_LEVEL) for one in comparisons}
    content = {
        "a": comparisons[0].names[0],
        "b": comparisons[0].names[1],
        "changes": {change.value: text for change, text in CHANGES.items()},
        "datasets": {
            one.name: {
                "objects": len(one.changes),
                "counts": to_plain(counts[one.name]),
                "false_boxes": _false_boxes(one),
                "passes": one.passes,
                "remarks": one.remarks,
            }
            for one in comparisons
        },
    }
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(out / "compare.json", encoded(text))
    environment = Environment(loader=PackageLoader("vps.comparing", "."), autoescape=True)
    pieces = environment.get_template("page.html").generate(
        names=comparisons[0].names,
        level=f"{_LEVEL:.0%}",
        changes={change.value: text for change, text in CHANGES.items()},
        sections=[_section(one, counts[one.name]) for one in comparisons],
    )
    page = out / "compare.html"
    with written_atomically(page) as file:
        for piece in pieces:
            file.write(encoded(piece))
    return page


def summary_lines(comparison: Comparison, counts: Sequence[ClassCount]) -> Iterator[str]:
    """What differs, a line each: of all classes, of those that changed most, and of false boxes."""
    compared = [one for one in comparison.changes if one.change is not Change.UNCOMPARED]
    same = sum(one.change is Change.SAME for one in compared)
    many = "object" if len(compared) == 1 else "objects"
    yield f"{len(compared)} {many} compared, {same} the same of both"
    for one in counts:
        if one.label == "":
            yield (
                f"{one.change.value}: {one.count} of {one.objects} ({_rate(one.rate)}): "
                f"{CHANGES[one.change]}{_classes(one.change, counts)}"
            )
    boxes = _false_boxes(comparison)
    if any(boxes.values()):
        yield (
            f"boxes on nothing: {boxes['both']} of both, {boxes['only_a']} of A alone, "
            f"{boxes['only_b']} of B alone"
        )


def change_text(one: ExplainedChange) -> str:
    """What a change is, and what would undo it, in sentences."""
    change = one.change
    text = f"A: {_said(change.first)}. B: {_said(change.second)}."
    maps = one.maps
    if maps is None:
        return text
    answer = maps.answer.sentence()
    text += f" For {maps.failing}: {answer[0].lower()}{answer[1:]}."
    if maps.moved:
        most = maps.moved[0]
        text += (
            f" The evidence differs most in region {most.region}: {most.first:.0%} of A's, "
            f"{most.second:.0%} of B's."
        )
    return text


def _said(outcome: ObjectOutcome) -> str:
    found = outcome.detection
    if found is None:
        return outcome.fate.value
    shown = f"{outcome.fate.value}, {found.score:.2f}"
    return shown if found.label == outcome.label else f"{shown} as {found.label}"


def _rate(rate: Interval) -> str:
    """The mean, with its interval unless that has no width: one image only, or all alike."""
    interval = f", {rate.low:.1%} to {rate.high:.1%}" if rate.low < rate.high else ""
    return f"{rate.mean:.1%}{interval}"


def _classes(change: Change, counts: Sequence[ClassCount], most: int = 3) -> str:
    """The classes that changed so most often."""
    own = [one for one in counts if one.label and one.change is change][:most]
    return "".join(
        f"{'; ' if place == 0 else ', '}{one.label} {one.count} of {one.objects}"
        for place, one in enumerate(own)
    )


def _false_boxes(comparison: Comparison) -> dict[str, int]:
    return {
        "both": sum(one.both for one in comparison.false_boxes),
        "only_a": sum(len(one.only_first) for one in comparison.false_boxes),
        "only_b": sum(len(one.only_second) for one in comparison.false_boxes),
    }


def _section(comparison: Comparison, counts: Sequence[ClassCount]) -> dict[str, Any]:
    changed = [
        one for one in comparison.changes if one.change not in (Change.SAME, Change.UNCOMPARED)
    ]
    return {
        "name": comparison.name,
        "remarks": comparison.remarks,
        "lines": list(summary_lines(comparison, counts)),
        "cards": [_card(one) for one in comparison.explained],
        "unexplained": len(changed) - len(comparison.explained),
        "classes": [
            (one.label, one.change.value, one.count, one.objects, _rate(one.rate))
            for one in counts
            if one.label
        ],
    }


def _card(one: ExplainedChange) -> dict[str, Any]:
    places = {} if one.maps is None else one.maps.places
    return {
        "title": f"{one.change.first.label}, image {one.change.image_id}",
        "change": one.change.change.value,
        "text": change_text(one),
        "error": one.error,
        "picture": f"{PICTURES}/{quote(one.picture)}",
        "places": [(name, f"{a:.0%}", f"{b:.0%}") for name, (a, b) in places.items()],
    }


def _rows(comparison: Comparison) -> Iterator[list[Any]]:
    explained = {id(one.change): one for one in comparison.explained}
    for change in comparison.changes:
        first, second = change.first, change.second
        told = explained.get(id(change))
        repair = None if told is None or told.maps is None else told.maps.answer.repair
        yield [
            comparison.name,
            change.image_id,
            first.object_id,
            first.label,
            *first.box,
            change.change.value,
            *(cell for one in (first, second) for cell in _cells(one)),
            f"{PICTURES}/{told.picture}" if told and told.picture else None,
            None if repair is None else " ".join(map(str, repair.regions)),
        ]


def _cells(outcome: ObjectOutcome) -> tuple[Any, ...]:
    found = outcome.detection
    if found is None:
        return outcome.fate.value, None, None
    return outcome.fate.value, found.label, found.score

"""What `vps reliance` writes for other programs: tables as CSV and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vps.core.files import encoded, write_atomically
from vps.core.schema import to_plain
from vps.reliance.study import CaseRecord
from vps.reliance.table import VERDICTS, Entry, RelianceSettings
from vps.report.tables.escapes import csv_table

_CASE = (
    "dataset", "image_id", "case", "kind", "label", "score", "masked", "own", "box", "rest",
    "distance", "sufficient_area", "sufficient_own", "sufficient_rest", "alone", "alone_found",
    "around", "around_found", "passes",
)  # fmt: skip
_OTHER = ("other", "other_area", "other_share", "other_chance", "other_sufficient", "other_hidden")
_INTERVALS = ("excess", "effect")


def write_tables(
    out: Path,
    tables: Mapping[str, Sequence[Entry]],
    records: Sequence[CaseRecord],
    settings: RelianceSettings,
    about: Mapping[str, Any],
) -> None:
    """Write reliance.csv, reliance.json and reliance_cases.csv.

    Args:
        out: the folder of the study.
        tables: of each data set.
        records: of all cases.
        settings: of the tables.
        about: what else reliance.json says, e.g. the method and its passes.

    Raises:
        OutputError: a file cannot be written.
    """
    rows = [
        {"dataset": name, **_row(entry)} for name, entries in tables.items() for entry in entries
    ]
    heads = list(rows[0]) if rows else ["dataset", "label", "other"]
    write_atomically(
        out / "reliance.csv", encoded(csv_table(heads, (list(row.values()) for row in rows)))
    )
    content = {
        **about,
        "settings": to_plain(settings),
        "verdicts": {verdict.value: text for verdict, text in VERDICTS.items()},
        "datasets": {
            name: [{**to_plain(entry), "lift": entry.lift} for entry in entries]
            for name, entries in tables.items()
        },
    }
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(out / "reliance.json", encoded(text))
    heads = [*_CASE, *_OTHER, "other_hidden_elsewhere"]
    write_atomically(
        out / "reliance_cases.csv",
        encoded(csv_table(heads, (cells for record in records for cells in _cells(record)))),
    )


def _row(entry: Entry) -> dict[str, Any]:
    """An entry as flat columns."""
    row: dict[str, Any] = {}
    for field in dataclasses.fields(entry):
        value = getattr(entry, field.name)
        if field.name in _INTERVALS:
            row[field.name] = None if value is None else value.mean
            row[f"{field.name}_low"] = None if value is None else value.low
            row[f"{field.name}_high"] = None if value is None else value.high
        else:
            row[field.name] = to_plain(value)
    return {**row, "lift": entry.lift}


def _cells(record: CaseRecord) -> list[list[Any]]:
    """A line for each label beside a case, or one where nothing is beside it."""
    facts = record.facts
    if facts is None:
        return []
    own = [getattr(facts, name) for name in _CASE]
    lines = [
        [
            *own,
            label,
            *(one.area, one.share, one.chance, one.sufficient, one.hidden),
            sum(one.elsewhere) / len(one.elsewhere) if one.elsewhere else None,
        ]
        for label, one in facts.others.items()
    ]
    return lines or [[*own, *[None] * (len(_OTHER) + 1)]]

"""The results of a study as one tidy table, with the path of every explanation and picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vps.core.extras import require
from vps.core.files import encoded, write_atomically
from vps.data.cases.cases import CaseList
from vps.errors import OutputError, one_line
from vps.report.tables.escapes import csv_table
from vps.report.tables.rows import by_rank
from vps.study.config import StudyConfig
from vps.study.store import Store, facts_of

CASE_COLUMNS = {
    "dataset": "name of the data set in the study",
    "image_id": "the data set's own id, as text",
    "image_name": "name of the image's file",
    "case": "names the case within its image: d3, a17 or n17",
    "kind": "of the case, by TIDE",
    "label": "what is explained",
    "predicted_label": "what the detector said instead",
    "x1": "left edge of the box that is explained, pixels",
    "y1": "its upper edge",
    "x2": "its right edge",
    "y2": "its lower edge",
    "size": "small, medium or large, as in COCO",
    "frequency": "r, c or f, in LVIS",
    "score": "of the detection; 0 without one",
    "object_id": "the annotation that the case belongs to, as text",
    "method": "as the study names it",
    "digest": "of all settings that the result depends on",
    "explanation": "path of the explanation, for vps.Explanation.load",
    "picture": "path of the picture",
    "repair": "regions whose hiding repairs the failure, between spaces",
    "warnings": "what to know before trusting it",
}
"""What the columns hold, before one for each metric; empty where there is none."""


def write_case_table(
    config: StudyConfig, lists: Mapping[str, CaseList], path: Path, *, parquet: bool = False
) -> int:
    """Write one row a case and method; paths in it are relative to the study's folder.

    Args:
        config: of the study.
        lists: its cases.
        path: of the table.
        parquet: in place of CSV.

    Returns:
        How many rows.

    Raises:
        OutputError: it cannot be written.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    rows = list(_rows(config, lists))
    metrics = by_rank(name for row in rows for name in row["metrics"])
    heads = [*CASE_COLUMNS, *metrics]
    cells = [
        [*(row[name] for name in CASE_COLUMNS), *(row["metrics"].get(name) for name in metrics)]
        for row in rows
    ]
    if not parquet:
        write_atomically(path, encoded(csv_table(heads, cells)))
        return len(rows)
    require("pyarrow", extra="parquet")
    table = require("pandas", extra="eval").DataFrame(cells, columns=heads)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {one_line(error)}") from error
    return len(rows)


def _rows(config: StudyConfig, lists: Mapping[str, CaseList]) -> Iterator[dict[str, Any]]:
    store = Store(config, facts_of(lists))
    for record in store.records(lists):
        row, case = record.row, record.task.case
        if row is None:
            continue
        repair = row["repair"]
        object_id = None if case.object_id is None else str(case.object_id)
        path = store.path(record.task, record.method, ".json")
        yield {
            **row,
            "image_id": str(row["image_id"]),
            **dict(zip(("x1", "y1", "x2", "y2"), row["box"], strict=True)),
            "object_id": object_id,
            "explanation": path.relative_to(store.out).as_posix(),
            "repair": None if repair is None else " ".join(map(str, repair["regions"])),
            "warnings": "; ".join(row["warnings"]) or None,
        }

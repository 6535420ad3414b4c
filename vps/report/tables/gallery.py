"""The page of a study: tables, plots and all cases, sortable and filterable, from one file."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vps.core.files import write_atomically
from vps.core.images import stored_size
from vps.metrics import find_metric
from vps.report.tables.rows import Row, case_of, methods_of, metrics_of, value_of
from vps.report.tables.summary import Numbers
from vps.report.tables.tables import (
    REPAIRS,
    Table,
    arrow,
    counted,
    head,
    shown,
    signed,
    tables_of,
)

_TEMPLATE = "gallery.html"


def write_gallery(
    path: Path,
    rows: Sequence[Row],
    summary: Numbers,
    *,
    failed: Sequence[Mapping[str, Any]] = (),
    plots: Mapping[str, Sequence[Path]] | None = None,
) -> Path:
    """Write the page; it needs its pictures and plots beside it, and nothing else.

    Args:
        path: of the page.
        rows: one a case and method.
        summary: what `vps.report.tables.summary.summarise` made of them.
        failed: what could not be explained, see `vps.report.tables.rows.Failure`.
        plots: png files of each data set.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("vps.report.tables", "."), autoescape=True)
    tables = tables_of(summary)
    sections = [
        {
            "name": dataset,
            "tables": [
                _shown(table) for table in tables if table.dataset == dataset and table.main
            ],
            "more": [
                _shown(table) for table in tables if table.dataset == dataset and not table.main
            ],
            "plots": [_plot(file, path, dataset) for file in (plots or {}).get(dataset, ())],
        }
        for dataset in summary["datasets"]
    ]
    page = environment.get_template(_TEMPLATE).render(
        name=summary["name"],
        counts=counted(summary["counts"]),
        level=f"{summary['settings']['level']:.0%}",
        failed=failed,
        remarks=summary.get("remarks", {}),
        sections=sections,
        # Inside a script nothing is unescaped, so "<" must not stand there: it could end it.
        data=Markup(_compact(pack_cases(rows, summary)).replace("<", "\\u003c")),
    )
    write_atomically(path, page.encode())
    return path


def pack_cases(rows: Sequence[Row], summary: Numbers) -> dict[str, Any]:
    """What the script of the page reads: the cases, with texts that recur kept once.

    Returns:
        "metrics": [name, title, short title, digits after the point, whether in percent] each;
        "methods", "datasets", "kinds", "labels", "sizes", "frequencies", "warnings": texts;
        "reference": the index of a method; "cases": a list each of
        [dataset, image id, key, image name, kind, label, said label or -1, size, frequency or -1,
        score, folder of the pictures, results], the texts by their index; results: for each
        method null or [picture or null, values, warnings], the values in the order of "metrics",
        the picture within the folder, or with its own if it has a slash.
    """
    metrics, methods = metrics_of(rows), methods_of(rows)
    tables: dict[str, dict[str, int]] = {
        name: {} for name in ("datasets", "kinds", "labels", "sizes", "frequencies", "warnings")
    }

    def index(table: str, text: str | None) -> int:
        known = tables[table]
        return -1 if text is None else known.setdefault(text, len(known))

    digits = [_digits(find_metric(name).format) for name in metrics]
    cases: dict[Any, list[Any]] = {}
    for row in rows:
        picture = row["picture"]
        case = cases.setdefault(
            case_of(row),
            [
                index("datasets", row["dataset"]),
                row["image_id"],
                row["case"],
                row["image_name"],
                index("kinds", row["kind"]),
                index("labels", row["label"]),
                index("labels", row["predicted_label"]),
                index("sizes", row["size"]),
                index("frequencies", row["frequency"]),
                round(row["score"], 3),
                "" if picture is None else posixpath.dirname(picture),
                [None] * len(methods),
            ],
        )
        if picture is not None and posixpath.dirname(picture) == case[10] != "":
            picture = posixpath.basename(picture)
        values = [
            None if (value := value_of(row, name)) is None else _rounded(value, places, percent)
            for name, (places, percent) in zip(metrics, digits, strict=True)
        ]
        warned = [index("warnings", warning) for warning in row["warnings"]]
        case[11][methods.index(row["method"])] = [picture, values, warned]
    return {
        "metrics": [
            [name, find_metric(name).title, head(name), *how]
            for name, how in zip(metrics, digits, strict=True)
        ],
        "methods": methods,
        "reference": methods.index(summary["settings"]["reference"]),
        **{name: list(table) for name, table in tables.items()},
        "cases": list(cases.values()),
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _digits(form: str) -> tuple[int, bool]:
    """The number of digits after the point of a format such as ".3f", and whether in percent."""
    found = re.search(r"\.(\d+)", form)
    return int(found.group(1)) if found else 3, form.endswith("%")


def _rounded(value: float, places: int, percent: bool) -> float | int:
    # One more digit than is shown, so that sorting tells apart what looks the same.
    value = round(value, places + 1 + 2 * percent)
    return int(value) if value == int(value) else value


def _plot(file: Path, page: Path, dataset: str) -> dict[str, Any]:
    name = file.stem.split("_")[0]
    about = {
        "curves": "Mean insertion and deletion curves of each method",
        "kinds": "Insertion and deletion AUC of each method, by kind of case",
        "passes": "Insertion minus deletion AUC of each method against passes",
        "repairs": "Failures that each method repairs against the share of the image hidden",
    }[name]
    source = file.relative_to(page.parent).as_posix()
    # Told in advance, lest the page jumps when it comes.
    height, width = stored_size(file)
    return {
        "width": width,
        "height": height,
        "source": quote(source),
        "pdf": quote(source.removesuffix(".png") + ".pdf"),
        "alt": f"{about}, {dataset}",
        "note": REPAIRS if name == "repairs" else "",
    }


def _shown(table: Table) -> dict[str, Any]:
    rows = []
    for number, (names, cells) in enumerate(zip(table.names, table.cells, strict=True)):
        texts = [
            cell
            and {
                "value": _value(cell, metric),
                "interval": f"[{shown(cell['low'], metric)}, {shown(cell['high'], metric)}]",
                "record": _record(cell),
                "best": (number, column) in table.best,
            }
            for column, (cell, metric) in enumerate(zip(cells, table.columns, strict=True))
        ]
        rows.append({"names": names, "cells": texts})
    heads = [
        {"text": head(name) + arrow(name), "about": find_metric(name).definition}
        for name in table.columns
    ]
    return {
        "title": table.title,
        "note": table.note,
        "names": table.heads,
        "heads": heads,
        "rows": rows,
    }


def _value(cell: Numbers, metric: str) -> str:
    return shown(cell["mean"], metric) if "mean" in cell else signed(cell["difference"], metric)


def _record(cell: Numbers) -> str:
    return f"{cell['wins']}/{cell['ties']}/{cell['losses']}" if "wins" in cell else ""

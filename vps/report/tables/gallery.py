"""The page of a study: tables, plots and all cases, sortable and filterable, from one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vps.core.files import encoded, written_atomically
from vps.core.images import stored_size
from vps.metrics import find_metric
from vps.report.tables.page_data import packed
from vps.report.tables.results import ResultRows, StudyResults, results_of
from vps.report.tables.rows import Failure
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

GALLERY_PAGE, RELIANCE_PAGE = "index.html", "reliance.html"
"""The page of a study, and that of `vps reliance`, which it links where it is there."""

_TEMPLATE = "gallery.html"


def write_gallery(
    path: Path,
    rows: ResultRows,
    summary: Numbers,
    *,
    failed: Sequence[Failure] = (),
    plots: Mapping[str, Sequence[Path]] | None = None,
) -> Path:
    """Write the page; it needs its pictures and plots beside it, and nothing else.

    Args:
        path: of the page.
        rows: one a case and method, or their columns.
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
    pieces = environment.get_template(_TEMPLATE).generate(
        name=summary["name"],
        counts=counted(summary["counts"]),
        note=summary.get("note", ""),
        level=f"{summary['settings']['level']:.0%}",
        failed=failed,
        reliance=RELIANCE_PAGE if (path.parent / RELIANCE_PAGE).is_file() else None,
        remarks=summary.get("remarks", {}),
        sections=sections,
        # Inside a script nothing is unescaped, so "<" must not stand there: it could end it.
        data=(Markup(text.replace("<", "\\u003c")) for text in _json(results_of(rows), summary)),
    )
    with written_atomically(path) as file:
        for piece in pieces:
            file.write(encoded(piece))
    return path


def _json(results: StudyResults, summary: Numbers) -> Iterator[str]:
    """The data of the page as JSON, some cases at a time."""
    about, cases = packed(results, summary)
    yield _compact(about).removesuffix("}") + ',"cases":['
    comma = ""
    for some in cases:
        yield comma + _compact(some)[1:-1]
        comma = ","
    yield "]}"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _plot(file: Path, page: Path, dataset: str) -> dict[str, Any]:
    name = file.stem.split("_")[0]
    about = {
        "curves": "Mean insertion and deletion curves of each method",
        "kinds": "Insertion and deletion AUC of each method, by kind of case",
        "passes": "Insertion minus deletion AUC of each method against passes",
        "ranks": "Mean rank of each method by insertion minus deletion AUC, over images",
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

"""Tables of a study as text: for a paper, for a README, for the terminal, and one row a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from vps.core.extras import require
from vps.core.files import encoded
from vps.metrics import find_metric
from vps.report.tables.escapes import csv_value, latex_text, markdown_text
from vps.report.tables.ranking import ranks_markdown
from vps.report.tables.results import ResultRows, results_of
from vps.report.tables.summary import Numbers
from vps.report.tables.tables import (
    Table,
    arrow,
    counted,
    head,
    shown,
    signed,
    tables_of,
)

_WIDTH = 100  # characters of a terminal
_ROWS = 2000  # of cases.csv that are in memory together
_CSV = (
    "dataset", "image_id", "case", "kind", "label", "predicted_label", "size", "frequency",
    "score", "image_name", "method", "digest", "replay",
)  # fmt: skip
_BOOKTABS = "booktabs"


def markdown(summary: Numbers) -> str:
    """The tables in Markdown, with intervals."""
    level = f"{summary['settings']['level']:.0%}"
    parts = [
        f"# {markdown_text(summary['name'])}",
        f"{counted(summary['counts'])}. Means with {level} intervals (bootstrap over images).",
        *filter(None, [markdown_text(summary.get("note", ""))]),
    ]
    for table in tables_of(summary):
        rows = [
            [
                *map(markdown_text, names),
                *(_markdown_cell(cell, name) for cell, name in _zip(cells, table)),
            ]
            for names, cells in zip(table.names, table.cells, strict=True)
        ]
        heads = [*table.heads, *(markdown_text(_plain(name)) for name in table.columns)]
        parts += [
            f"**{markdown_text(table.title)}**",
            _tabulate(rows, heads, "pipe", len(table.heads)),
        ]
        parts += [table.note] if table.note else []
    for dataset, numbers in summary["datasets"].items():
        if numbers.get("ranks") is not None:
            parts.append(ranks_markdown(dataset, numbers["ranks"]))
    return "\n\n".join(parts) + "\n"


def latex(summary: Numbers) -> str:
    """The tables in LaTeX (booktabs): mean and half the interval's width, the best in bold."""
    level = f"{summary['settings']['level']:.0%}".replace("%", r"\%")
    parts = [r"% Needs \usepackage{booktabs}."]
    for table in tables_of(summary):
        rows = [
            [
                *map(latex_text, names),
                *(
                    _latex_cell(cell, name, (row, column) in table.best)
                    for column, (cell, name) in enumerate(_zip(cells, table))
                ),
            ]
            for row, (names, cells) in enumerate(zip(table.names, table.cells, strict=True))
        ]
        arrows = (r" $\uparrow$", r" $\downarrow$")
        heads = [
            *table.heads,
            *(latex_text(head(name)) + arrow(name, arrows) for name in table.columns),
        ]
        caption = latex_text(table.title) + f"; $\\pm$ half the width of the {level} interval."
        parts.append(
            "\\begin{table}[t]\n\\centering\\small\n"
            f"\\caption{{{caption}}}\n"
            + _tabulate(rows, heads, _BOOKTABS, len(table.heads))
            + "\n\\end{table}"
        )
    return "\n\n".join(parts) + "\n"


def print_table(summary: Numbers) -> str:
    """The main tables for a terminal, at most 100 characters wide."""
    parts = [f"{summary['name']}: {counted(summary['counts'])}"]
    tables = tables_of(summary, brief=True)
    parts += [f"{table.title}\n{_fitting(table)}" for table in tables if table.main]
    return "\n\n".join(parts)


def cases_csv(rows: ResultRows) -> Iterator[bytes]:
    """One row a case and method, with all metrics as columns; no text in it is a formula.

    Args:
        rows: of all data sets, or their columns.

    Yields:
        The file, some rows at a time.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    results = results_of(rows)
    pandas = require("pandas", extra="eval")
    for start in range(0, len(results), _ROWS):
        some = results.at(np.arange(start, min(start + _ROWS, len(results))))
        facts = some.facts
        warned = ["; ".join(warnings) for warnings in facts["warnings"]]
        # As objects: text of pandas itself must be UTF-8.
        text = partial(pandas.Series, dtype=object)
        columns = {name: text([*map(csv_value, facts[name])]) for name in _CSV}
        columns |= {name: facts[name].array for name in ("x1", "y1", "x2", "y2")}
        columns |= {name: some.metrics[name].array for name in results.metric_names}
        columns |= {
            "warnings": text([*map(csv_value, warned)]),
            "picture": text([*map(csv_value, some.pictures())]),
        }
        table = pandas.DataFrame(columns)
        yield encoded(table.to_csv(index=False, header=start == 0, lineterminator="\n"))


def _zip(cells: Sequence[Numbers | None], table: Table) -> list[tuple[Numbers | None, str]]:
    return list(zip(cells, table.columns, strict=True))


def _markdown_cell(cell: Numbers | None, metric: str) -> str:
    if cell is None:
        return ""
    low, high = shown(cell["low"], metric), shown(cell["high"], metric)
    if "mean" in cell:
        return f"{shown(cell['mean'], metric)} [{low}, {high}]"
    record = f"{cell['wins']}/{cell['ties']}/{cell['losses']}"
    return f"{signed(cell['difference'], metric)} [{low}, {high}] ({record})"


def _latex_cell(cell: Numbers | None, metric: str, best: bool) -> str:
    if cell is None:
        return "--"
    # In a formula, a comma would be followed by a space.
    half = _half(cell, metric).replace(",", "{,}")
    if "mean" in cell:
        mean = shown(cell["mean"], metric).replace(",", "{,}")
        mean = rf"\mathbf{{{mean}}}" if best else mean
        return rf"${mean}_{{\pm {half}}}$"
    record = f"{cell['wins']}/{cell['ties']}/{cell['losses']}"
    return f"${signed(cell['difference'], metric)}_{{\\pm {half}}}$ ({record})"


def _fitting(table: Table) -> str:
    """As many of the columns as a terminal is wide."""
    text = ""
    for count in range(len(table.columns), 0, -1):
        text = _terminal(table, count)
        if max(map(len, text.splitlines())) <= _WIDTH:
            break
    return text


def _terminal(table: Table, count: int) -> str:
    rows = []
    for names, cells in zip(table.names, table.cells, strict=True):
        line = [name if len(name) <= 24 else name[:23] + "\u2026" for name in names]
        for cell, metric in _zip(cells, table)[:count]:
            if cell is None:
                line.append("")
                continue
            interval = "" if find_metric(metric).cost else f" \u00b1{_half(cell, metric)}"
            line.append(shown(cell["mean"], metric) + interval)
        rows.append(line)
    return _tabulate(
        rows, [*table.heads, *map(_plain, table.columns[:count])], "simple", len(table.heads)
    )


def _half(cell: Numbers, metric: str) -> str:
    """Half the width of an interval, as .021."""
    text = shown((cell["high"] - cell["low"]) / 2, metric)
    return text[1:] if text.startswith("0.") else text


def _plain(metric: str) -> str:
    return head(metric) + arrow(metric)


def _tabulate(rows: list[list[str]], heads: list[str], style: str, names: int) -> str:
    tabulate = require("tabulate", extra="eval").tabulate
    align = ["left"] * names + ["right"] * (len(heads) - names)
    # Its own style for booktabs would escape the formulas.
    known = "latex_raw" if style == _BOOKTABS else style
    text: str = tabulate(rows, heads, tablefmt=known, disable_numparse=True, colalign=align)
    if style == _BOOKTABS:
        for rule in ("top", "mid", "bottom"):
            text = text.replace("\\hline", f"\\{rule}rule", 1)
    return text

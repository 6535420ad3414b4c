"""Tables of a study: for a paper, for a README, for the terminal, and one row a case."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vps.extras import require
from vps.metrics import find_metric
from vps.report.rows import Row, metrics_of, value_of
from vps.report.summary import ALL, Numbers

# What is cited of a study; the others are in summary.json and cases.csv.
MAIN = (
    "insertion",
    "deletion",
    "insertion_class",
    "deletion_class",
    "highest_score_50",
    "success",
    "pointing",
    "energy_pointing",
    "passes",
)
_BY_KIND = ("insertion", "deletion", "highest_score_50", "success", "pointing", "energy_pointing")
_HEADS = {
    "insertion": "Ins.",
    "deletion": "Del.",
    "insertion_class": "Ins. (class)",
    "deletion_class": "Del. (class)",
    "highest_score_50": "Highest",
    "success": "Success",
    "pointing": "Pointing",
    "energy_pointing": "Energy PG",
    "passes": "Passes",
}
_WIDTH = 100  # characters of a terminal
_BOOKTABS = "booktabs"


@dataclass(frozen=True)
class Table:
    """A table before it is written in any format.

    Attributes:
        dataset: that it is of.
        title: says what the rows are of, and how many cases there are.
        columns: names of metrics, in order.
        names: of the rows, one tuple each, of as many parts as `heads`.
        heads: above the names.
        cells: a row each: what `summarise` gives for a metric, or None where there is no value.
        best: (row, column) of the values that none of the rows they are compared with exceeds.
    """

    dataset: str
    title: str
    columns: tuple[str, ...]
    heads: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[Numbers | None, ...], ...]
    best: frozenset[tuple[int, int]]


def tables_of(summary: Numbers) -> list[Table]:
    """Of each data set: all cases, by kind, and the differences from the reference."""
    tables = []
    for dataset, numbers in summary["datasets"].items():
        tables.append(_overall(dataset, numbers))
        kinds = _by_kind(dataset, numbers)
        if len({kind for kind, _ in kinds.names}) > 1:
            tables.append(kinds)
        if numbers["paired"]["methods"]:
            tables.append(_paired(dataset, numbers))
    return tables


def markdown(summary: Numbers) -> str:
    """The tables in Markdown, with intervals."""
    level = f"{summary['settings']['level']:.0%}"
    parts = [
        f"# {summary['name']}",
        f"{counted(summary['counts'])}. Means with {level} intervals (bootstrap over images).",
    ]
    for table in tables_of(summary):
        rows = [
            [*names, *(_markdown_cell(cell, name) for cell, name in _zip(cells, table))]
            for names, cells in zip(table.names, table.cells, strict=True)
        ]
        heads = [*table.heads, *(head(name, (" \u2191", " \u2193")) for name in table.columns)]
        parts += [f"**{table.title}**", _tabulate(rows, heads, "pipe", len(table.heads))]
    return "\n\n".join(parts) + "\n"


def latex(summary: Numbers) -> str:
    """The tables in LaTeX (booktabs): mean and half the interval's width, the best in bold."""
    level = f"{summary['settings']['level']:.0%}".replace("%", r"\%")
    parts = [r"% Needs \usepackage{booktabs}."]
    for table in tables_of(summary):
        rows = [
            [
                *map(_escaped, names),
                *(
                    _latex_cell(cell, name, (row, column) in table.best)
                    for column, (cell, name) in enumerate(_zip(cells, table))
                ),
            ]
            for row, (names, cells) in enumerate(zip(table.names, table.cells, strict=True))
        ]
        heads = [
            *table.heads,
            *(head(name, (r" $\uparrow$", r" $\downarrow$")) for name in table.columns),
        ]
        caption = _escaped(table.title) + f"; $\\pm$ half the width of the {level} interval."
        parts.append(
            "\\begin{table}[t]\n\\centering\\small\n"
            f"\\caption{{{caption}}}\n"
            + _tabulate(rows, heads, _BOOKTABS, len(table.heads))
            + "\n\\end{table}"
        )
    return "\n\n".join(parts) + "\n"


def print_table(summary: Numbers) -> str:
    """The overall tables for a terminal, at most 100 characters wide."""
    parts = [f"{summary['name']}: {counted(summary['counts'])}"]
    for dataset, numbers in summary["datasets"].items():
        table = _overall(dataset, numbers, (*_BY_KIND, "passes", "seconds"))
        text = ""
        for count in range(len(table.columns), 0, -1):
            text = _terminal(table, count)
            if max(map(len, text.splitlines())) <= _WIDTH:
                break
        parts.append(f"{table.title}\n{text}")
    return "\n\n".join(parts)


def counted(counts: Mapping[str, int]) -> str:
    """How many results there are, and how many there are not."""
    others = [f"{counts[key]} {key}" for key in ("failed", "missing", "skipped") if counts[key]]
    return ", ".join([f"{counts['done']} of {counts['planned']} results", *others])


def head(metric: str, arrows: tuple[str, str]) -> str:
    """The short name of a metric, with an arrow to the side that is better."""
    better = find_metric(metric).higher_is_better
    arrow = "" if better is None else arrows[0] if better else arrows[1]
    return _HEADS.get(metric, find_metric(metric).title) + arrow


def shown(value: float, metric: str) -> str:
    """A value in the format of its metric."""
    return format(value, find_metric(metric).format)


def signed(value: float, metric: str) -> str:
    """A difference in the format of its metric, with its sign."""
    return format(value, "+" + find_metric(metric).format)


def cases_csv(rows: Sequence[Row]) -> bytes:
    """One row a case and method, with all metrics as columns.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pandas = require("pandas", extra="eval")
    metrics = metrics_of(rows)
    lines = []
    for row in rows:
        line: dict[str, Any] = {
            key: value
            for key, value in row.items()
            if key not in ("box", "metrics", "curves", "warnings", "picture")
        }
        line |= dict(zip(("x1", "y1", "x2", "y2"), row["box"], strict=True))
        line |= {name: value_of(row, name) for name in metrics}
        line |= {"warnings": "; ".join(row["warnings"]), "picture": row["picture"]}
        lines.append(line)
    buffer = io.StringIO()
    pandas.DataFrame(lines).to_csv(buffer, index=False)
    return buffer.getvalue().encode()


def _overall(dataset: str, numbers: Numbers, columns: Sequence[str] = MAIN) -> Table:
    groups = {(method,): own[ALL] for method, own in numbers["methods"].items()}
    title = f"{dataset}: {_cases(numbers)}"
    return _table(dataset, title, ("method",), columns, groups)


def _cases(numbers: Numbers) -> str:
    """How many cases there are, and of what there are fewer."""
    total, methods = numbers["cases"], numbers["methods"]
    fewer = {name: own[ALL]["n"] for name, own in methods.items() if own[ALL]["n"] < total}
    for metric in MAIN:
        counts = [
            own[ALL]["metrics"][metric]["n"]
            for own in methods.values()
            if metric in own[ALL]["metrics"]
        ]
        if counts and max(counts) < total:
            fewer[_HEADS[metric]] = max(counts)
    notes = ", ".join(f"{name}: {count}" for name, count in fewer.items())
    return f"{total} cases" + (f" ({notes})" if notes else "")


def _by_kind(dataset: str, numbers: Numbers) -> Table:
    kinds = list(dict.fromkeys(kind for own in numbers["methods"].values() for kind in own["kind"]))
    groups = {
        (kind, method): own["kind"][kind]
        for kind in kinds
        for method, own in numbers["methods"].items()
        if kind in own["kind"]
    }
    sizes = {kind: max(group["n"] for (k, _), group in groups.items() if k == kind) for kind in kinds}
    title = f"{dataset} by kind: " + ", ".join(f"{size} {kind}" for kind, size in sizes.items())
    title = title.replace("_", " ")
    groups = {(kind.replace("_", " "), method): group for (kind, method), group in groups.items()}
    return _table(dataset, title, ("kind", "method"), _BY_KIND, groups)


def _paired(dataset: str, numbers: Numbers) -> Table:
    comparison = numbers["paired"]
    groups = {(method,): own[ALL] for method, own in comparison["methods"].items()}
    count = max(group["n"] for group in groups.values())
    title = (
        f"{dataset}: difference from {comparison['reference']} on the same {count} cases "
        "(wins/ties/losses)"
    )
    return _table(dataset, title, ("method",), _BY_KIND, groups)


def _table(
    dataset: str,
    title: str,
    heads: tuple[str, ...],
    metrics: Sequence[str],
    groups: Mapping[tuple[str, ...], Numbers],
) -> Table:
    """Columns in which no row has a value are left out; the rows of one kind compete."""
    columns = tuple(
        name for name in metrics if any(name in group["metrics"] for group in groups.values())
    )
    cells = tuple(
        tuple(group["metrics"].get(name) for name in columns) for group in groups.values()
    )
    names = tuple(groups)
    best = set()
    for column, metric in enumerate(columns):
        better = find_metric(metric).higher_is_better
        if better is None:
            continue
        fields: dict[tuple[str, ...], dict[int, float]] = {}
        for row, name in enumerate(names):
            cell = cells[row][column]
            if cell is not None and "mean" in cell:
                fields.setdefault(name[:-1], {})[row] = cell["mean"]
        for field in fields.values():
            # As printed: what looks the same is equally good.
            texts = {row: shown(value, metric) for row, value in field.items()}
            top = shown((max if better else min)(field.values()), metric)
            if len(set(texts.values())) > 1:
                best |= {(row, column) for row, text in texts.items() if text == top}
    return Table(dataset, title, columns, heads, names, cells, frozenset(best))


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


def _terminal(table: Table, count: int) -> str:
    rows = []
    for names, cells in zip(table.names, table.cells, strict=True):
        line = [name if len(name) <= 24 else name[:23] + "\u2026" for name in names]
        for cell, metric in _zip(cells, table)[:count]:
            if cell is None:
                line.append("")
                continue
            line.append(f"{shown(cell['mean'], metric)} \u00b1{_half(cell, metric)}")
        rows.append(line)
    return _tabulate(rows, [*table.heads, *map(_plain, table.columns[:count])], "simple", 1)


def _half(cell: Numbers, metric: str) -> str:
    """Half the width of an interval, as .021."""
    text = shown((cell["high"] - cell["low"]) / 2, metric)
    return text[1:] if text.startswith("0.") else text


def _plain(metric: str) -> str:
    return head(metric, (" \u2191", " \u2193"))


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


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

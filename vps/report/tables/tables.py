"""Tables of a study, before they are written in any format."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vps.metrics import Metric, find_metric
from vps.metrics.lookup import family_number
from vps.metrics.metric import Tables
from vps.metrics.names import REPAIRED
from vps.report.tables.rows import by_rank
from vps.report.tables.summary import ALL, Numbers

_LEAD = ("repair_auc", "repaired", "repaired_all_fills", "repaired_beside", "repair_passes")
"""What the table of repairs begins with; the rates follow, then what else there is."""

REPAIRS = (
    "With half of its passes vps looks for orders, and with the rest for the smallest set; random "
    "takes the prefixes of as many random orders as fit; others take the prefixes of one order, "
    "that of their map, for which D-RISE draws as many masks as the passes allow. Of all that a "
    "method has hidden, the least area that repairs counts, under the study's own fill; all fills: "
    "the same part repairs under every other fill, too; beside: some part repairs that does not "
    "touch the object's box, which no false box has. A background box or duplicate goes "
    "away when the box itself is hidden, as a rule, and so does the wrong box of a phrase: look at "
    "the other kinds first."
)
"""What one should know to read the table and the plot of repairs."""

REPLAYS = (
    "Rows of different replays cannot be compared: regions are shown and hidden one by one under "
    "the fill that is named; pixel steps are equal shares of a map's pixels by falling value."
)
"""What one should know to read a table whose rows are not all judged in the same way."""

Groups = Mapping[tuple[str, ...], Numbers]
"""The numbers of a summary by the names of their row."""


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
        main: whether it is shown even where there is little room.
        note: what one should know to read it; "" for nothing.
    """

    dataset: str
    title: str
    columns: tuple[str, ...]
    heads: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[Numbers | None, ...], ...]
    best: frozenset[tuple[int, int]]
    main: bool = False
    note: str = ""


def tables_of(summary: Numbers, *, brief: bool = False) -> list[Table]:
    """Of each data set: all cases, by kind, repairs by kind, and differences from the reference.

    Args:
        summary: what `vps.report.tables.summary.summarise` gives.
        brief: whether the tables of all cases have no more columns than the others, costs apart.
    """
    tables = []
    masks = _masks(summary)
    for dataset, numbers in summary["datasets"].items():
        tables.append(_told(overall(dataset, numbers, brief=brief), masks))
        kinds = _by_kind(dataset, numbers)
        if len({name[0] for name in kinds.names}) > 1:
            tables.append(_told(kinds, masks))
        if any("repaired" in own[ALL]["metrics"] for own in numbers["methods"].values()):
            tables.append(_repairs(dataset, numbers))
        if numbers["paired"]["methods"]:
            tables.append(_told(_paired(dataset, numbers), masks))
    return tables


def _masks(summary: Numbers) -> str:
    """How many masks methods drew, without which their rows say little."""
    return "".join(f"; {name}: {count:,} masks" for name, count in summary.get("masks", {}).items())


def _told(table: Table, masks: str) -> Table:
    return dataclasses.replace(table, title=table.title + masks)


def overall(dataset: str, numbers: Numbers, *, brief: bool = False) -> Table:
    """The means of each method over all cases of a data set; `numbers` of a summary."""
    groups: Groups = {(method,): own[ALL] for method, own in numbers["methods"].items()}
    columns = _columns(groups, "every", "main")
    if brief:
        columns = [name for name in columns if _is_brief(find_metric(name))]
    title = f"{dataset}: {_cases(numbers)}"
    table = _table(dataset, title, *_with_replays(numbers, ("method",), columns, groups), main=True)
    mixed = len({*replays_of(numbers).values()}) > 1
    return dataclasses.replace(table, note=REPLAYS) if mixed else table


def replays_of(numbers: Numbers) -> dict[str, str]:
    """How each method of a data set is judged; empty where all show and hide regions."""
    found = {method: own["replay"] for method, own in numbers["methods"].items()}
    return found if any(not text.startswith("regions") for text in found.values()) else {}


def counted(counts: Mapping[str, int]) -> str:
    """How many results there are, and how many there are not."""
    others = [f"{counts[key]} {key}" for key in ("failed", "missing", "skipped") if counts[key]]
    return ", ".join([f"{counts['done']} of {counts['planned']} results", *others])


def head(metric: str) -> str:
    """The short name of a metric."""
    return find_metric(metric).head


def arrow(metric: str, arrows: tuple[str, str] = (" \u2191", " \u2193")) -> str:
    """What points to the side of a metric that is better."""
    better = find_metric(metric).higher_is_better
    return "" if better is None else arrows[0] if better else arrows[1]


def shown(value: float, metric: str) -> str:
    """A value in the format of its metric."""
    return format(value, find_metric(metric).format)


def signed(value: float, metric: str) -> str:
    """A difference in the format of its metric, with its sign."""
    return format(value, "+" + find_metric(metric).format)


def _cases(numbers: Numbers) -> str:
    """How many cases there are, and of what there are fewer."""
    total, methods = numbers["cases"], numbers["methods"]
    fewer = {name: own[ALL]["n"] for name, own in methods.items() if own[ALL]["n"] < total}
    groups: Groups = {(name,): own[ALL] for name, own in methods.items()}
    for metric in _columns(groups, "every", "main"):
        cells = [group["metrics"].get(metric) for group in groups.values()]
        most = max(cell["n"] for cell in cells if cell)
        if most < total:
            fewer[head(metric)] = most
    notes = ", ".join(f"{name}: {count}" for name, count in fewer.items())
    return f"{total} cases" + (f" ({notes})" if notes else "")


def _by_kind(dataset: str, numbers: Numbers) -> Table:
    groups = _of_kinds(numbers)
    title = f"{dataset} by kind: {_sizes(groups)}"
    named = _with_replays(numbers, ("kind", "method"), _columns(groups, "every"), groups)
    return _table(dataset, title, *named)


def _with_replays(
    numbers: Numbers, heads: tuple[str, ...], columns: list[str], groups: Groups
) -> tuple[tuple[str, ...], list[str], Groups]:
    """Heads, columns and rows with the replay of each, where they are not all by regions."""
    replays = replays_of(numbers)
    if not replays:
        return heads, columns, groups
    named = {(*name[:-1], replays[name[-1]], name[-1]): own for name, own in groups.items()}
    return (*heads[:-1], "replay", heads[-1]), columns, named


def _repairs(dataset: str, numbers: Numbers) -> Table:
    """How many failures each method repairs, how much it hides, and what that takes."""
    kinds = {
        name: group for name, group in _of_kinds(numbers).items() if "repaired" in group["metrics"]
    }
    groups: dict[tuple[str, ...], Numbers] = {}
    if len({kind for kind, _ in kinds}) > 1:
        for method, own in numbers["methods"].items():
            # Of all cases together, these alone are means over the failures.
            found = {
                name: cell
                for name, cell in own[ALL]["metrics"].items()
                if find_metric(name).tables == "repairs"
            }
            groups[ALL, method] = {"metrics": found}
    groups |= kinds
    names = _columns(groups, "repairs")
    rates = [name for name in names if find_metric(name).family == REPAIRED]
    ranked = (*_LEAD, *sorted(rates, key=family_number), *names)
    columns = [name for name in dict.fromkeys(ranked) if name in names]
    title = f"{dataset} repairs, by the share of the image hidden: {_sizes(kinds)}"
    table = _table(dataset, title, ("kind", "method"), columns, groups, main=True)
    return dataclasses.replace(table, note=REPAIRS)


def _of_kinds(numbers: Numbers) -> dict[tuple[str, ...], Numbers]:
    """The numbers of each kind and method, one kind after the other."""
    methods = numbers["methods"]
    kinds = dict.fromkeys(kind for own in methods.values() for kind in own["kind"])
    return {
        (kind.replace("_", " "), method): own["kind"][kind]
        for kind in kinds
        for method, own in methods.items()
        if kind in own["kind"]
    }


def _sizes(groups: Groups) -> str:
    """How many cases there are of each kind."""
    sizes: dict[str, int] = {}
    for (kind, _), group in groups.items():
        sizes[kind] = max(sizes.get(kind, 0), group["n"])
    return ", ".join(f"{size} {kind}" for kind, size in sizes.items())


def _paired(dataset: str, numbers: Numbers) -> Table:
    comparison = numbers["paired"]
    groups: Groups = {(method,): own[ALL] for method, own in comparison["methods"].items()}
    count = max(group["n"] for group in groups.values())
    title = (
        f"{dataset}: difference from {comparison['reference']} on the same {count} cases "
        "(wins/ties/losses)"
    )
    return _table(dataset, title, ("method",), _columns(groups, "every"), groups)


def _columns(groups: Groups, *tables: Tables) -> list[str]:
    """The metrics that belong to one of these tables and have a value, in order."""
    names = by_rank(name for group in groups.values() for name in group["metrics"])
    return [name for name in names if find_metric(name).tables in tables]


def _is_brief(metric: Metric) -> bool:
    return metric.tables == "every" or metric.cost


def _table(
    dataset: str,
    title: str,
    heads: tuple[str, ...],
    columns: Iterable[str],
    groups: Groups,
    main: bool = False,
) -> Table:
    """The rows of one kind compete."""
    columns = tuple(columns)
    cells = tuple(
        tuple(group["metrics"].get(name) for name in columns) for group in groups.values()
    )
    names = tuple(groups)
    best = set()
    for column, metric in enumerate(columns):
        better = find_metric(metric).higher_is_better
        if better is None or find_metric(metric).cost:
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
    return Table(dataset, title, columns, heads, names, cells, frozenset(best), main)

"""A study in numbers: means with intervals, by data set, method and group, and comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from vps.core.names import choose
from vps.core.targets import Kind
from vps.errors import InputError
from vps.metrics import Metric, find_metric
from vps.metrics.aggregate import mean_interval, paired
from vps.report.tables.rows import (
    ReportSettings,
    Row,
    case_of,
    cluster_of,
    in_order,
    methods_of,
    metrics_of,
    value_of,
)

Numbers = dict[str, Any]

ALL = "all"
GROUPINGS = {"kind": "kind", "size": "size", "class": "label", "frequency": "frequency"}
"""From the name of a breakdown to the key of a row that it goes by."""

_ORDERS: dict[str, Sequence[str]] = {
    "kind": [kind.value for kind in Kind],
    "size": ["small", "medium", "large"],
    "frequency": ["r", "c", "f"],
}


def summarise(
    rows: Sequence[Row],
    *,
    name: str,
    failed: int = 0,
    missing: int = 0,
    skipped: int = 0,
    settings: ReportSettings | None = None,
) -> Numbers:
    """What summary.json holds, free of NaN.

    Args:
        rows: of all data sets; the order of their first appearance is that of the methods.
        name: of the study.
        failed, missing, skipped: how many results there are not, and why.
        settings: of the intervals.

    Returns:
        "name", "settings", "counts" (of results, one a case and method), "metrics" (titles and
        which way is better), and "datasets": by name, "cases" (a number), "methods", by name
        {"all": group, "kind": {value: group}, "size": ..., "class": ..., "frequency": ...} with
        group = {"n": cases, "metrics": {name: {"mean", "low", "high", "n"}}}, and "paired":
        {"reference": method, "methods": {name: {"all": group, "kind": {value: group}}}} whose
        metrics hold "difference" (method - reference), its "low" and "high", "wins", "ties",
        "losses" of the method, and "n".

    Raises:
        InputError: no rows, or a reference that is no method of the rows.
    """
    settings = settings or ReportSettings()
    if not rows:
        raise InputError("there are no results to report: no case was explained")
    methods = methods_of(rows)
    reference = settings.reference or methods[0]
    choose(dict.fromkeys(methods), reference, "reference method")
    counts = {"done": len(rows), "failed": failed, "missing": missing, "skipped": skipped}
    datasets = {}
    for dataset in in_order(row["dataset"] for row in rows):
        own = [row for row in rows if row["dataset"] == dataset]
        datasets[dataset] = _dataset(own, methods, reference, settings)
    return {
        "name": name,
        "settings": {**dataclasses.asdict(settings), "reference": reference},
        "counts": {"planned": sum(counts.values()), **counts},
        "metrics": {key: _about(find_metric(key)) for key in metrics_of(rows)},
        "datasets": datasets,
    }


def split(rows: Sequence[Row], grouping: str) -> dict[str, list[Row]]:
    """Rows by the value that they have in a breakdown, without those that have none."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        value = _value(row, grouping)
        if value is not None:
            groups.setdefault(value, []).append(row)
    order = _ORDERS.get(grouping, ())
    names = [value for value in order if value in groups]
    return {value: groups[value] for value in names + sorted(set(groups) - set(names))}


def _about(metric: Metric) -> dict[str, Any]:
    """What a reader of the numbers needs to know of a metric."""
    return {
        "title": metric.title,
        "higher_is_better": metric.higher_is_better,
        "definition": metric.definition,
        "format": metric.format,
    }


def _value(row: Mapping[str, Any], grouping: str) -> str | None:
    value = row[GROUPINGS[grouping]]
    return None if value is None else str(value)


def _dataset(
    rows: list[Row], methods: list[str], reference: str, settings: ReportSettings
) -> Numbers:
    by_method = {
        method: own
        for method in methods
        if (own := [row for row in rows if row["method"] == method])
    }
    summary: Numbers = {"cases": len({case_of(row) for row in rows}), "methods": {}}
    for method, own in by_method.items():
        summary["methods"][method] = {ALL: _means(own, settings)} | {
            grouping: {
                value: _means(some, settings) for value, some in split(own, grouping).items()
            }
            for grouping in GROUPINGS
        }
    base = {case_of(row): row for row in by_method.get(reference, ())}
    summary["paired"] = {"reference": reference, "methods": {}}
    for method, own in by_method.items():
        pairs = [(row, base[case_of(row)]) for row in own if case_of(row) in base]
        if method == reference or not pairs:
            continue
        kinds = split([row for row, _ in pairs], "kind")
        summary["paired"]["methods"][method] = {
            ALL: _differences(pairs, settings),
            "kind": {
                kind: _differences([(row, base[case_of(row)]) for row in some], settings)
                for kind, some in kinds.items()
            },
        }
    return summary


def _means(rows: Sequence[Row], settings: ReportSettings) -> Numbers:
    metrics = {}
    for name in metrics_of(rows):
        kept = [(value, row) for row in rows if (value := value_of(row, name)) is not None]
        interval = mean_interval(
            [value for value, _ in kept],
            [cluster_of(row) for _, row in kept],
            draws=settings.draws,
            level=settings.level,
            seed=settings.seed,
        )
        metrics[name] = dataclasses.asdict(interval)
    return {"n": len(rows), "metrics": metrics}


def _differences(pairs: Sequence[tuple[Row, Row]], settings: ReportSettings) -> Numbers:
    metrics = {}
    for name in metrics_of(row for row, _ in pairs):
        kept = [
            (own, other, row)
            for row, base in pairs
            if (own := value_of(row, name)) is not None
            and (other := value_of(base, name)) is not None
        ]
        # Without a better side there is nothing to win.
        better = find_metric(name).higher_is_better
        if not kept or better is None:
            continue
        difference = paired(
            [own for own, _, _ in kept],
            [other for _, other, _ in kept],
            [cluster_of(row) for _, _, row in kept],
            draws=settings.draws,
            level=settings.level,
            seed=settings.seed,
            higher_is_better=better,
        )
        metrics[name] = dataclasses.asdict(difference)
    return {"n": len(pairs), "metrics": metrics}

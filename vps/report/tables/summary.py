"""A study in numbers: means with intervals, by data set, method and group, and comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from vps.core.names import choose
from vps.core.targets import Kind
from vps.errors import InputError
from vps.metrics import Metric, find_metric
from vps.metrics.aggregate import mean_intervals, paired_columns
from vps.report.tables.ranking import rank_summary
from vps.report.tables.results import ResultRows, StudyResults, results_of
from vps.report.tables.rows import ReportSettings

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
    rows: ResultRows,
    *,
    name: str,
    failed: int = 0,
    missing: int = 0,
    skipped: int = 0,
    settings: ReportSettings | None = None,
) -> Numbers:
    """What summary.json holds, free of NaN.

    Args:
        rows: of all data sets, or their columns; the order of their first appearance is that of the
            methods.
        name: of the study.
        failed, missing, skipped: how many results there are not, and why.
        settings: of the intervals.

    Returns:
        "name", "settings", "counts" (of results, one a case and method), "metrics" (titles and
        which way is better), and "datasets": by name, "cases" (a number), "methods", by name
        {"replay": text, "all": group, "kind": {value: group}, "size": ..., "class": ...,
        "frequency": ...} with
        group = {"n": cases, "metrics": {name: {"mean", "low", "high", "n"}}}, and "paired":
        {"reference": method, "methods": {name: {"all": group, "kind": {value: group}}}} whose
        metrics hold "difference" (method - reference), its "low" and "high", "wins", "ties",
        "losses" of the method, and "n"; and "ranks", see `vps.report.tables.ranking.rank_summary`.
        Methods that are judged by another replay than the reference are in neither.

    Raises:
        InputError: no rows, or a reference that is no method of the rows.
    """
    settings = settings or ReportSettings()
    results = results_of(rows)
    if not len(results):
        raise InputError("there are no results to report: no case was explained")
    methods = results.values("method")
    reference = settings.reference or methods[0]
    choose(dict.fromkeys(methods), reference, "reference method")
    counts = {"done": len(results), "failed": failed, "missing": missing, "skipped": skipped}
    return {
        "name": name,
        "settings": {**dataclasses.asdict(settings), "reference": reference},
        "counts": {"planned": sum(counts.values()), **counts},
        "metrics": {key: _about(find_metric(key)) for key in results.metric_names},
        "datasets": {
            dataset: _dataset(results.where(dataset=dataset), methods, reference, settings)
            for dataset in results.values("dataset")
        },
    }


def split(rows: ResultRows, grouping: str) -> dict[str, StudyResults]:
    """ResultRows by the value that they have in a breakdown, without those that have none."""
    results = results_of(rows)
    column = GROUPINGS[grouping]
    values = results.values(column)
    order = _ORDERS.get(grouping, ())
    names = [value for value in order if value in values]
    names += sorted(set(values) - set(names))
    return {str(value): results.where(**{column: value}) for value in names}


def _about(metric: Metric) -> dict[str, Any]:
    """What a reader of the numbers needs to know of a metric."""
    return {
        "title": metric.title,
        "higher_is_better": metric.higher_is_better,
        "definition": metric.definition,
        "format": metric.format,
    }


def _dataset(
    results: StudyResults, methods: list[str], reference: str, settings: ReportSettings
) -> Numbers:
    results = results.only("method", "place", "image", "replay", *GROUPINGS.values())
    by_method = {method: own for method in methods if len(own := results.where(method=method))}
    summary: Numbers = {
        "cases": int(results.facts["place"].nunique()),
        "methods": {
            method: {"replay": own.values("replay")[0], ALL: _means(own, settings)}
            | {grouping: {} for grouping in GROUPINGS}
            for method, own in by_method.items()
        },
    }
    for grouping in GROUPINGS:
        for value, some in split(results, grouping).items():
            # One after the other, methods of the same cases share their draws.
            for method in by_method:
                if len(own := some.where(method=method)):
                    summary["methods"][method][grouping][value] = _means(own, settings)
    replays = {method: own["replay"] for method, own in summary["methods"].items()}
    judged = replays.get(reference, next(iter(replays.values())))
    by_method = {method: own for method, own in by_method.items() if replays[method] == judged}
    summary["ranks"] = rank_summary(by_method)
    summary["paired"] = {"reference": reference, "methods": {}}
    for method, own in by_method.items():
        if method == reference or reference not in by_method:
            continue
        mine, base = _same_cases(own, by_method[reference])
        if not len(mine):
            continue
        kinds = {
            kind: _differences(*_same_cases(some, base), settings)
            for kind, some in split(mine, "kind").items()
        }
        summary["paired"]["methods"][method] = {
            ALL: _differences(mine, base, settings),
            "kind": kinds,
        }
    return summary


def _same_cases(one: StudyResults, other: StudyResults) -> tuple[StudyResults, StudyResults]:
    """The cases that both have, in the order of the first."""
    places = other.facts["place"].to_numpy()
    order = np.argsort(places, kind="stable")
    wanted = one.facts["place"].to_numpy()
    found = np.searchsorted(places, wanted, sorter=order).clip(max=len(places) - 1)
    both = places[order[found]] == wanted
    return one.at(both), other.at(order[found[both]])


def _means(results: StudyResults, settings: ReportSettings) -> Numbers:
    intervals = mean_intervals(
        results.metrics.to_numpy(),
        results.facts["image"].to_numpy(),
        draws=settings.draws,
        level=settings.level,
        seed=settings.seed,
    )
    names = results.metrics.columns
    metrics = {
        name: dict(vars(interval))
        for name, interval in zip(names, intervals, strict=True)
        if interval is not None
    }
    return {"n": len(results), "metrics": metrics}


def _differences(own: StudyResults, base: StudyResults, settings: ReportSettings) -> Numbers:
    # Without a better side there is nothing to win.
    better = {name: find_metric(name).higher_is_better for name in own.metrics.columns}
    names = [name for name, side in better.items() if side is not None]
    found = paired_columns(
        own.metrics[names].to_numpy(),
        base.metrics[names].to_numpy(),
        own.facts["image"].to_numpy(),
        [bool(better[name]) for name in names],
        draws=settings.draws,
        level=settings.level,
        seed=settings.seed,
    )
    metrics = {
        name: dict(vars(difference))
        for name, difference in zip(names, found, strict=True)
        if difference is not None
    }
    return {"n": len(own), "metrics": metrics}

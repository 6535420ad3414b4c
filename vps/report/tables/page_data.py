"""What the script of a study's page reads: cases and numbers, small and in plain lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from vps.metrics import find_metric
from vps.report.tables.results import StudyResults, by_case
from vps.report.tables.summary import Numbers
from vps.report.tables.tables import head

_TABLES = {
    "datasets": ("dataset",),
    "kinds": ("kind",),
    "labels": ("label", "predicted_label"),
    "sizes": ("size",),
    "frequencies": ("frequency",),
}
"""Texts that are kept once, and the columns that have them."""


def packed(
    results: StudyResults, summary: Numbers
) -> tuple[dict[str, Any], Iterator[list[list[Any]]]]:
    """What the page has of all cases, with texts that recur kept once, and of each.

    Returns:
        What is said of all:
        "metrics": [name, title, short title, digits after the point, whether in percent] each;
        "methods", "datasets", "kinds", "labels", "sizes", "frequencies", "warnings": texts;
        "reference": the index of a method.
        And the cases, some at a time: a list each of
        [dataset, image id, key, image name, kind, label, said label or -1, size, frequency or -1,
        score, folder of the pictures, results], the texts by their index; results: for each
        method null or [picture or null, values, warnings], the values in the order of "metrics",
        the picture within the folder, or with its own if it has a slash.
    """
    methods, metrics = results.values("method"), results.metric_names
    digits = [_digits(find_metric(name).format) for name in metrics]
    tables = {name: _index(results, columns) for name, columns in _TABLES.items()}
    groups = results.values("warnings")
    warnings = {text: None for group in groups for text in group}
    tables["warnings"] = {text: number for number, text in enumerate(warnings)}
    about = {
        "metrics": [
            [name, find_metric(name).title, head(name), *how]
            for name, how in zip(metrics, digits, strict=True)
        ],
        "methods": methods,
        "reference": methods.index(summary["settings"]["reference"]),
        **{name: list(table) for name, table in tables.items()},
    }
    places = {method: place for place, method in enumerate(methods)}
    return about, (
        [_case(rows, tables, places) for rows in _records(results, some, digits)]
        for some in by_case(results)
    )


def _index(results: StudyResults, columns: tuple[str, ...]) -> dict[Any, int]:
    values = dict.fromkeys(value for name in columns for value in results.values(name))
    return {value: number for number, value in enumerate(values)}


def _records(
    results: StudyResults, cases: list[np.ndarray], digits: list[tuple[int, bool]]
) -> Iterator[list[dict[str, Any]]]:
    """The rows of some cases, each as a dict."""
    own = results.at(np.concatenate(cases))
    columns = {name: own.facts[name].tolist() for name in own.facts}
    columns["picture"] = own.pictures()
    values = own.metrics[results.metric_names].to_numpy()
    # One more digit than is shown, so that sorting tells apart what looks the same.
    rounded = [
        np.round(column, places + 1 + 2 * percent)
        for column, (places, percent) in zip(values.T, digits, strict=True)
    ]
    columns["values"] = np.transpose(rounded).tolist()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    ends = np.cumsum([len(case) for case in cases]).tolist()
    return (rows[end - len(case) : end] for end, case in zip(ends, cases, strict=True))


def _case(
    rows: list[dict[str, Any]],
    tables: dict[str, dict[Any, int]],
    methods: dict[str, int],
) -> list[Any]:
    first = rows[0]
    folder = "" if first["picture"] is None else first["folder"]
    found: list[Any] = [None] * len(methods)
    for row in rows:
        within = folder != "" and row["picture"] is not None and row["folder"] == folder
        values = [_as_short(value) for value in row["values"]]
        warned = [tables["warnings"][text] for text in row["warnings"]]
        picture = row["file"] if within else row["picture"]
        found[methods[row["method"]]] = [picture, values, warned]
    return [
        tables["datasets"][first["dataset"]],
        first["image_id"],
        first["case"],
        first["image_name"],
        tables["kinds"][first["kind"]],
        tables["labels"][first["label"]],
        tables["labels"].get(first["predicted_label"], -1),
        tables["sizes"][first["size"]],
        tables["frequencies"].get(first["frequency"], -1),
        round(first["score"], 3),
        folder,
        found,
    ]


def _digits(form: str) -> tuple[int, bool]:
    """The number of digits after the point of a format such as ".3f", and whether in percent."""
    found = re.search(r"\.(\d+)", form)
    return int(found.group(1)) if found else 3, form.endswith("%")


def _as_short(value: float) -> float | int | None:
    """None for NaN, which is not equal to itself, and a whole number without a point."""
    if value.is_integer():
        return int(value)
    return value if value == value else None

"""The results of a study in columns: what a report keeps of its rows, a hundredth of their size."""

from __future__ import annotations

import posixpath
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from vps.core.extras import require
from vps.report.tables.rows import by_rank

GRID = np.linspace(0, 1, 101)
"""Shares of the area at which the curves of all rows are read off."""

SIDES = ("insertion", "deletion")

_TEXTS = (
    "dataset", "image_id", "case", "kind", "label", "predicted_label", "size", "frequency",
    "image_name", "method", "replay",
)  # fmt: skip
_ROOM = 64  # images for whose curves there is room at first
_NUMBERS = ("score", "x1", "y1", "x2", "y2")
_RECURRING = (*_TEXTS, "folder", "warnings", "image", "place")


@dataclass(frozen=True)
class CurveSums:
    """The curves of one data set and method, summed over the cases of each image.

    Attributes:
        sums: (images, 2, len(GRID)) float32, the sums of insertion and deletion.
        sizes: (images,) how many cases each sum is of.
        areas: (2,) the mean areas under both.
    """

    sums: np.ndarray
    sizes: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True, eq=False)
class StudyResults:
    """Columns with one entry a row, in the order of the rows.

    Attributes:
        facts: a pandas.DataFrame: the texts of a row as categories, those of None as missing;
            "score", the box as "x1" to "y2", "digest", "folder" and "file" of the picture (of no
            picture, missing), "warnings", as one tuple a row; "image" and "place", int, which
            image and which case among all data sets, by first appearance.
        metrics: a pandas.DataFrame of float64, in the order of METRICS; NaN where one does not
            apply.
        curves: by data set and method.
    """

    facts: Any
    metrics: Any
    curves: Mapping[tuple[str, str], CurveSums]

    def __len__(self) -> int:
        return len(self.facts)

    def values(self, name: str) -> list[Any]:
        """Distinct values of a column in the order of their first appearance."""
        return list(self.facts[name].cat.remove_unused_categories().cat.categories)

    def where(self, **wanted: Any) -> StudyResults:
        """The rows whose columns have these values; curves stay those of all."""
        kept = np.ones(len(self), bool)
        for name, value in wanted.items():
            kept &= (self.facts[name] == value).to_numpy()
        return self if kept.all() else self.at(kept)

    def at(self, kept: np.ndarray) -> StudyResults:
        """The rows at these places: (n,) bool, or indices in the order wanted."""
        return StudyResults(self.facts.iloc[kept], self.metrics.iloc[kept], self.curves)

    def only(self, *facts: str, metrics: Sequence[str] | None = None) -> StudyResults:
        """All rows with some of the columns, which takes less to choose rows of.

        Args:
            facts: their columns.
            metrics: theirs, of which those that no row has are left out; all by default.
        """
        kept = self.metrics
        if metrics is not None:
            kept = kept[[name for name in metrics if name in kept.columns]]
        return StudyResults(self.facts[list(facts)], kept, self.curves)

    def pictures(self) -> list[str | None]:
        """The path of each row's picture; None where it has none."""
        paths = zip(self.facts["folder"], self.facts["file"], strict=True)
        return [
            posixpath.join(folder, file) if isinstance(file, str) else None
            for folder, file in paths
        ]

    @property
    def metric_names(self) -> list[str]:
        """The metrics of which some row has a value, in the order of METRICS, others last."""
        return list(self.metrics.columns[self.metrics.notna().any()])


ResultRows = Iterable[Mapping[str, Any]] | StudyResults
"""What a report is made from: rows, see `vps.report.tables.rows.Row`, or columns of them."""


def results_of(rows: ResultRows) -> StudyResults:
    """The columns of rows, which are read one at a time and not kept.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    if isinstance(rows, StudyResults):
        return rows
    gathered = _Gathered()
    for row in rows:
        gathered.add(row)
    return gathered.results()


class _Gathered:
    """Columns that grow row by row."""

    def __init__(self) -> None:
        # Values that recur, as numbers by first appearance; of one row after the other.
        self._known: dict[str, dict[Any, int]] = {name: {} for name in _RECURRING}
        self._codes, self._numbers = array("i"), array("d")
        self._digests: list[str] = []
        self._files: list[str | None] = []
        # By their names: which rows have them, and the values of one row after the other.
        self._metrics: dict[tuple[str, ...], tuple[array[int], array[float]]] = {}
        self._curves: dict[tuple[str, str], _Curves] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take the numbers and texts of a row."""
        picture = row["picture"]
        folder, file = (None, None) if picture is None else posixpath.split(picture)
        texts = [row[name] for name in _TEXTS]
        texts += [folder, tuple(row["warnings"]), (row["dataset"], row["image_id"])]
        codes = [
            -1 if value is None else known.setdefault(value, len(known))
            for value, known in zip(texts, self._known.values(), strict=False)
        ]
        image, places = codes[-1], self._known["place"]
        codes.append(places.setdefault((image, row["case"]), len(places)))
        self._codes.extend(codes)
        self._numbers.extend((row["score"], *row["box"]))
        metrics = row["metrics"]
        rows, values = self._metrics.setdefault(tuple(metrics), (array("q"), array("d")))
        rows.append(len(self._digests))
        values.extend(metrics.values())
        self._digests.append(row["digest"])
        self._files.append(file)
        curves = self._curves.setdefault((row["dataset"], row["method"]), _Curves())
        curves.add(image, row["curves"])

    def results(self) -> StudyResults:
        """All columns; what they were gathered in is given up."""
        pandas = require("pandas", extra="eval")
        index = partial(pandas.Index, dtype=object, tupleize_cols=False)
        count = len(self._digests)
        codes = np.frombuffer(self._codes, np.int32).reshape(count, len(_RECURRING)).T
        numbers = np.frombuffer(self._numbers).reshape(count, len(_NUMBERS)).T
        columns = dict(zip(_RECURRING, codes.copy(), strict=True))
        places = {name: columns.pop(name) for name in ("image", "place")}
        facts = {
            name: pandas.Categorical.from_codes(column, index([*self._known[name]]))
            for name, column in columns.items()
        }
        facts |= dict(zip(_NUMBERS, numbers.copy(), strict=True)) | places
        facts["digest"] = np.array(self._digests, object)
        facts["file"] = np.array(self._files, object)
        return StudyResults(
            pandas.DataFrame(facts),
            self._table(),
            {key: self._curves.pop(key).sums() for key in list(self._curves)},
        )

    def _table(self) -> Any:
        names = by_rank(name for own in self._metrics for name in own)
        table = np.full((len(names), len(self._digests)), np.nan)
        for own in list(self._metrics):
            rows, values = self._metrics.pop(own)
            places = np.array([names.index(name) for name in own], int)
            table[places[:, None], rows] = np.array(values).reshape(len(rows), len(own)).T
        table[~np.isfinite(table)] = np.nan
        # A copy would be in another order, in which sums round otherwise.
        return require("pandas", extra="eval").DataFrame(table.T, columns=names, copy=False)


class _Curves:
    """The curves of one data set and method, as they come."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}  # of the images
        self._sums = np.zeros((_ROOM, len(SIDES), len(GRID)), np.float32)
        self._sizes = array("q")
        self._areas = np.zeros(2)

    def add(self, image: int, curves: Mapping[str, Sequence[float]]) -> None:
        areas, *sides = table = np.array([curves[name] for name in ("areas", *SIDES)])
        place = self._places.setdefault(image, len(self._places))
        if place == len(self._sizes):
            self._sizes.append(0)
        if place == len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        self._sizes[place] += 1
        for sums, side in zip(self._sums[place], sides, strict=True):
            sums += np.interp(GRID, areas, side).astype(np.float32)
        # By the trapezoid rule, as `vps.engine.curve_values.auc`; `check_row` has checked both.
        self._areas += (areas[1:] - areas[:-1]) @ (table[1:, 1:] + table[1:, :-1]).T / 2

    def sums(self) -> CurveSums:
        sizes = np.array(self._sizes)
        return CurveSums(self._sums[: len(sizes)].copy(), sizes, self._areas / sizes.sum())


def by_case(results: StudyResults, at_once: int = 1000) -> Iterator[list[np.ndarray]]:
    """The places of the rows of each case, by their first row; some cases at a time."""
    places = results.facts["place"].to_numpy()
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    cases = np.split(order, starts[1:])
    for start in range(0, len(cases), at_once):
        yield cases[start : start + at_once]

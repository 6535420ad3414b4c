"""What a report is made from: one row a case and method, and the cases that failed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import le
from typing import TypedDict

from vps.core.names import choose
from vps.core.numbers import check_range, check_whole
from vps.core.targets import Box, Kind
from vps.data.sample import Id
from vps.errors import InputError
from vps.metrics import METRICS, find_metric
from vps.metrics.families import METRIC_FAMILIES

_SIDES = ("insertion", "deletion")
_ROUNDING = 1e-6  # by which a sum may leave its range
_ONE = 1 + _ROUNDING
_KINDS = {kind.value: kind for kind in Kind}


class RowCurves(TypedDict):
    """Scores along the order: m + 1 numbers in [0, 1] each; `areas` never falls."""

    areas: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion: tuple[float, ...]


class RowRepair(TypedDict):
    """What is hidden to repair a failure, see `vps.results.repair.Repair`."""

    regions: tuple[int, ...]
    area: float
    exact: bool
    score: float
    fills: dict[str, bool]
    beside_area: float | None


class Row(TypedDict):
    """One case, explained by one method; plain JSON.

    Attributes:
        dataset, image_id, case: which case; `case` names it within its image, as "d3" or "a17".
        image_name: for people.
        kind: a value of `vps.core.targets.Kind`.
        label, predicted_label: what is explained, and what the detector said instead.
        box: of the target, xyxy, pixels of the original image.
        size: "small", "medium" or "large", as in COCO.
        frequency: "r", "c" or "f" in LVIS.
        score: of the detection.
        method, digest: the name that the study gives to the method, and the hash of its settings.
        replay: what the curves show and hide, see `vps.results.explanation.Explanation.replay`.
        metrics: by name; one that does not apply is absent or NaN.
        curves: see `RowCurves`.
        picture: path of the picture, relative to the page.
        warnings: what one should know before trusting the result.
        repair: of a failure; None where none was found or looked for.
    """

    dataset: str
    image_id: Id
    case: str
    image_name: str
    kind: str
    label: str
    predicted_label: str | None
    box: Box
    size: str
    frequency: str | None
    score: float
    method: str
    digest: str
    replay: str
    metrics: dict[str, float]
    curves: RowCurves
    picture: str | None
    warnings: tuple[str, ...]
    repair: RowRepair | None


class Failure(TypedDict):
    """A case that one method could not explain; `error` is one line."""

    dataset: str
    image_id: Id
    case: str
    method: str
    error: str


_MOST_DRAWS = 100_000


@dataclass(frozen=True)
class ReportSettings:
    """How a report is made.

    Attributes:
        draws: of the bootstrap, which draws images with replacement.
        level: of the intervals, in (0, 1).
        seed: of the draws.
        reference: the method that the others are compared with; None for the first.

    Raises:
        InputError: no draws or too many, a seed below 0, or a level outside (0, 1).
    """

    draws: int = 2000
    level: float = 0.95
    seed: int = 0
    reference: str | None = None

    def __post_init__(self) -> None:
        check_whole("draws", self.draws, 1, _MOST_DRAWS)
        check_whole("seed", self.seed, 0, 2**63)
        if not 0 < self.level < 1:
            raise InputError(f"the level of intervals must lie in (0, 1), got {self.level}")


def check_row(row: Row) -> Row:
    """A row whose values are of their types, and finite, with every value in its range.

    Metrics that this version does not know are left out.

    Raises:
        InputError: it is no row of a result; the message names the field.
    """
    choose(_KINDS, row["kind"], "kind")
    check_range("score", row["score"], high=_ONE)
    for name in _SIDES:
        if name not in row["metrics"]:
            raise InputError(f"metrics.{name} is missing")
    row["metrics"] = _checked_metrics(row["metrics"])
    curves, areas = row["curves"], row["curves"]["areas"]
    # Faster than by arrays, which would have to be made.
    if len(areas) < 2 or list(areas) != sorted(areas):
        raise InputError("curves.areas must rise, and have at least two values")
    named = {"areas": areas, "insertion": curves["insertion"], "deletion": curves["deletion"]}
    for name, values in named.items():
        if len(values) != len(areas) or min(values) < -_ROUNDING or max(values) > _ONE:
            raise InputError(f"curves.{name} must hold {len(areas)} values in [0, 1]")
    return row


def by_rank(names: Iterable[str]) -> list[str]:
    """Distinct names of metrics in the order of METRICS, a family together, others last."""
    places = {name: place for place, name in enumerate(METRICS)}
    last = {name.rpartition("_")[0]: place for name, place in places.items()}

    def rank(name: str) -> tuple[int, int, str]:
        own, family = places.get(name), name.rpartition("_")[0]
        if own is None:
            own = last[family] if family in METRIC_FAMILIES else len(places)
        return own, name not in places, name

    return sorted(set(names), key=rank)


def _checked_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that are known, in their ranges."""
    names, lows, highs = _ranges(tuple(metrics))
    values = [metrics[name] for name in names]
    if not (all(map(le, lows, values)) and all(map(le, values, highs))):
        for name, *given in zip(names, values, lows, highs, strict=True):
            check_range(f"metrics.{name}", *given)
    return dict(zip(names, values, strict=True))


@functools.lru_cache(maxsize=256)
def _ranges(names: tuple[str, ...]) -> tuple[list[str], list[float], list[float]]:
    """Of the metrics that are known: names, lowest and highest values; most rows have the same."""
    known: dict[str, tuple[float, float]] = {}
    for name in names:
        with contextlib.suppress(InputError):
            known[name] = find_metric(name).range
    lows, highs = ([ends[side] for ends in known.values()] for side in (0, 1))
    return list(known), [low - _ROUNDING for low in lows], [high + _ROUNDING for high in highs]

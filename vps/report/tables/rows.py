"""What a report is made from: one row a case and method, and the cases that failed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from vps.core.numbers import check_whole
from vps.data.sample import Id
from vps.errors import InputError
from vps.metrics import METRICS


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
        metrics: by name; one that does not apply is absent or NaN.
        curves: "areas", "insertion" and "deletion", m + 1 numbers each.
        picture: path of the picture, relative to the page.
        warnings: what one should know before trusting the result.
        repair: of a failure, the "regions" to hide, their "area", whether they are "exact", and the
            "score" of the target then; None where none was found or looked for.
    """

    dataset: str
    image_id: Id
    case: str
    image_name: str
    kind: str
    label: str
    predicted_label: str | None
    box: Sequence[float]
    size: str
    frequency: str | None
    score: float
    method: str
    digest: str
    metrics: Mapping[str, float]
    curves: Mapping[str, Sequence[float]]
    picture: str | None
    warnings: Sequence[str]
    repair: Mapping[str, Any] | None


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


def in_order(values: Iterable[Any]) -> list[Any]:
    """Distinct values in the order of their first appearance."""
    return list(dict.fromkeys(values))


def methods_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The methods in the order of their first appearance."""
    return in_order(row["method"] for row in rows)


def metrics_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The metrics of which some row has a value, in the order of METRICS, others last."""
    return by_rank(
        name for row in rows for name, value in row["metrics"].items() if math.isfinite(value)
    )


def by_rank(names: Iterable[str]) -> list[str]:
    """Distinct names of metrics in the order of METRICS, others last."""
    found = set(names)
    return [name for name in METRICS if name in found] + sorted(found - set(METRICS))


def value_of(row: Mapping[str, Any], metric: str) -> float | None:
    """The value of a metric; None where it does not apply."""
    value = row["metrics"].get(metric)
    return None if value is None or not math.isfinite(value) else float(value)


def case_of(row: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What identifies a case among all data sets."""
    return row["dataset"], row["image_id"], row["case"]


def cluster_of(row: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """The image of a row: cases of one image are not independent."""
    return row["dataset"], row["image_id"]

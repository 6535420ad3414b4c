"""The curves of a result in the files of VPS: what its JSON tells, steps 0..m."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vps.core.numbers import Lambdas
from vps.core.schema import build
from vps.errors import InputError
from vps.results.vps_record import CURVES

_ROUNDING = 1e-6
_UNTOLD = ("insertion_cls", "deletion_cls", "insertion_iou", "deletion_iou")


def record_curves(
    record: Mapping[str, Any], ranks: np.ndarray, count: int, *, mapped: bool
) -> dict[str, Any]:
    """The arrays of an explanation, steps 0..m, with the regions numbered in their order.

    Args:
        record: the JSON.
        ranks: (h, w) int, of each pixel the step that shows it, from 0.
        count: m.
        mapped: whether the steps are of a map's pixels: F is then that of the scores.

    Raises:
        InputError: a curve is missing, not of m steps, or out of range.
    """
    arrays: dict[str, Any] = {"label_map": ranks, "order": np.arange(count)}
    other = {"insertion": "deletion", "deletion": "insertion"}
    for side in other:
        for theirs, ours in CURVES.items():
            steps = _steps(record, f"{side}_{theirs}", count)
            # Nothing shown is everything hidden, and the other way round.
            start = _steps(record, f"{other[side]}_{theirs}", count)[-1]
            arrays[side + ours] = np.concatenate([[start], steps])
        arrays[f"{side}_boxes"] = np.zeros((count + 1, 4))
    for side, key in (("insertion", "baseline_score"), ("deletion", "org_score")):
        if record.get(key) is not None:
            arrays[side][0] = record_number(record[key], key, 1)
    for side in other:
        if record.get(f"{side}_box") is not None:
            boxes = np.asarray(build(tuple[tuple[float, ...], ...], record[f"{side}_box"], side))
            if boxes.shape != (count, 4):
                raise InputError(f"{side}_box must hold {count} boxes, got {boxes.shape}")
            arrays[f"{side}_boxes"][1:] = boxes
    lambdas = record_lambdas(record)
    objective = lambdas[0] * arrays["insertion"] + lambdas[1] * (1 - arrays["deletion"])
    if not mapped:
        objective[1:] = record_numbers(record, "smdl_score", count)
    arrays["objective"] = objective
    arrays["areas"] = _areas(record, ranks, count)
    return arrays


def _areas(record: Mapping[str, Any], ranks: np.ndarray, count: int) -> np.ndarray:
    """Shares of the grid, of the masks; as the file has them where these are the same."""
    shares = np.cumsum(np.bincount(ranks.ravel(), minlength=count)) / ranks.size
    given = record.get("region_area")
    if isinstance(given, list) and len(given) == count:
        told = record_numbers(record, "region_area", count)
        if np.abs(told - shares).max() <= _ROUNDING:
            shares = told
    return np.concatenate([[0.0], shares])


def record_lambdas(record: Mapping[str, Any]) -> Lambdas:
    """Both lambdas, by default 1; InputError where one is no number of at least 0."""
    one, two = (
        record_number(record.get(f"lambda{number}", 1), f"lambda{number}") for number in (1, 2)
    )
    return one, two


def _steps(record: Mapping[str, Any], name: str, count: int) -> np.ndarray:
    """(m,) scores in [0, 1]."""
    values = record_numbers(record, name, count)
    if values.min() < 0 or values.max() > 1 + _ROUNDING:
        raise InputError(f"{name} must lie in [0, 1], got {values.min():g} to {values.max():g}")
    return values


def record_numbers(record: Mapping[str, Any], name: str, count: int | None = None) -> np.ndarray:
    """(m,) of a field; InputError where it is missing, no list of numbers, or not of m."""
    if record.get(name) is None:
        more = ": it is no result of a detection" if name in _UNTOLD else ""
        raise InputError(f"{name} is missing{more}")
    values = np.asarray(build(tuple[float, ...], record[name], name), np.float64)
    if count is not None and len(values) != count:
        raise InputError(f"{name} has {len(values)} steps, and {count} are shown")
    return values


def record_number(value: Any, name: str, high: float = np.inf) -> float:
    """A number from 0 to a highest; InputError for anything else."""
    number: float = build(float, value, name)
    if not 0 <= number <= high + _ROUNDING:
        raise InputError(f"{name} must lie in [0, {high:g}], got {number:g}")
    return number

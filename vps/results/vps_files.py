"""The files of a result of VPS and PhaseWin: json/<name>.json and npy/<name>.npy, both ways."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vps.core.files import written_atomically
from vps.core.json_files import read_json_record
from vps.core.regions import PIXEL_STEPS
from vps.core.schema import build, read_fields
from vps.core.targets import Box, Kind, Target, checked_box
from vps.core.versions import versions
from vps.engine.pixel_steps import FILL
from vps.errors import InputError, one_line
from vps.results.explanation import Explanation
from vps.results.mask_files import ranks_and_map, read_map, write_masks
from vps.results.stored import ARRAYS, check_explanation
from vps.results.vps_curves import record_curves, record_lambdas, record_number, record_numbers
from vps.results.vps_record import MODES_OF_VPS, vps_record

OURS = "vps"
"""The key of what only this project reads: their scripts pass over it."""

_CALLS = "model_forward_calls"  # PhaseWin's name of the number of passes
_MOST_JSON = 1 << 26  # bytes; the curves of a thousand regions take 1 MB


@dataclass(frozen=True, eq=False)
class VpsResult:
    """A result as their files tell it.

    Attributes:
        name: of its files, without suffix.
        explanation: with the number of passes 0 where the files do not tell it. Without
            `image_size`, that of the grid stands for the image's, and boxes do not fit the map.
        sized: whether the size of the image is known.
        counted: whether the number of passes is.
        about: what this project has noted of the case; empty in their own files.
    """

    name: str
    explanation: Explanation
    sized: bool
    counted: bool
    about: Mapping[str, Any]


def write_vps_result(
    folder: Path, name: str, explanation: Explanation, about: Mapping[str, Any] | None = None
) -> Path:
    """Write json/<name>.json and npy/<name>.npy.

    The masks are (m, h, w, 1) uint8, one a region on the detector's grid, in the order of the
    explanation: m x h x w bytes. A method that gives a map has it in maps/<name>.npy, (h, w)
    float32, which their scripts do not read. The JSON comes last and means complete; beside their
    fields it holds one of ours, from which `read_vps_result` gets everything back but the boxes of
    the steps, which become whole pixels.

    Args:
        folder: of the results of one method.
        name: of the files.
        explanation: what is written.
        about: of the case, plain JSON.

    Returns:
        The path of the JSON.

    Raises:
        OutputError: a file cannot be written.
    """
    fields = {
        item.name: getattr(explanation, item.name)
        for item in dataclasses.fields(explanation)
        if item.name not in ARRAYS
    }
    fields["target"] = dataclasses.asdict(explanation.target)
    ours = {
        **(about or {}),
        "explanation": fields,
        "order": explanation.order.tolist(),
        "measured": explanation.measured.tolist(),
        "start": float(explanation.objective[0]),
        "effects": None if explanation.effects is None else explanation.effects.tolist(),
    }
    write_masks(folder / "npy" / f"{name}.npy", explanation.label_map, explanation.order)
    if explanation.saliency is not None:
        with written_atomically(folder / "maps" / f"{name}.npy") as file:
            np.save(file, explanation.saliency, allow_pickle=False)
    path = folder / "json" / f"{name}.json"
    with written_atomically(path) as file:
        record = {**vps_record(explanation), OURS: ours}
        file.write(json.dumps(record, default=np.generic.item).encode())
    return path


def read_vps_result(
    folder: Path,
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    target: Target | None = None,
) -> VpsResult:
    """Read a result of VPS, PhaseWin or this project; nothing is unpickled.

    Of a method that VPS is compared with, their npy/ holds a map (h, w) in place of masks, and the
    JSON no F: its pixels were shown, and hidden, in equal steps (`vps.engine.pixel_steps`), and F
    is that of the scores.

    Args:
        folder: of the results of one method, with json/ and npy/ in it.
        name: of the files, without suffix.
        image_size: (H, W) of the image, where it is known.
        target: of the case, where it is known better than by `target_box` and `category`.

    Raises:
        InputError: a file is missing or damaged, a curve is not of m steps in [0, 1], or the masks
            are no partition of their grid.
    """
    path = folder / "json" / f"{name}.json"
    record = read_json_record(path, "result", _MOST_JSON)
    try:
        steps = len(record_numbers(record, "insertion_score"))
        ranks, values = ranks_and_map(folder / "npy" / f"{name}.npy", steps)
        return _result(folder, name, record, ranks, values, image_size, target)
    except InputError as error:
        raise InputError(f"result {name}: {one_line(error)}") from error


def _result(
    folder: Path,
    name: str,
    record: Mapping[str, Any],
    ranks: np.ndarray,
    values: np.ndarray | None,
    image_size: tuple[int, int] | None,
    target: Target | None,
) -> VpsResult:
    count = int(ranks.max()) + 1
    ours = _ours(record)
    arrays = record_curves(record, ranks, count, mapped=values is not None)
    if ours:
        order = np.asarray(build(tuple[int, ...], ours.get("order"), "vps.order"))
        if not np.array_equal(np.sort(order), np.arange(count)):
            raise InputError(f"vps.order must hold each of 0..{count - 1} once")
        arrays |= {
            "order": order,
            "label_map": order[ranks],
            "measured": np.asarray(build(tuple[bool, ...], ours.get("measured"), "vps.measured")),
            "effects": _effects(ours, count),
            "saliency": read_map(folder / "maps" / f"{name}.npy"),
        }
        arrays["objective"][0] = build(float, ours.get("start"), "vps.start")
        fields = ours.get("explanation")
        fields = read_fields(
            Explanation, build(dict[str, Any], fields, "vps.explanation"), given=ARRAYS
        )
    else:
        fields = _fields(record, name, image_size or ranks.shape, target or _target(record))
        if values is not None:
            arrays["saliency"] = values
            fields |= {"region_method": PIXEL_STEPS, "fill": FILL}
    found = Explanation(**arrays, **fields)
    check_explanation(found)
    about = (
        {} if not ours else {key: ours[key] for key in ours if key not in ("explanation", "order")}
    )
    # Their maps are of the size of the image.
    sized = bool(ours) or image_size is not None or values is not None
    counted = record.get(_CALLS) is not None
    return VpsResult(name, found, sized, counted, about)


def _ours(record: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = build(dict[str, Any], record.get(OURS), OURS)
    return found


def _effects(ours: Mapping[str, Any], count: int) -> np.ndarray | None:
    """(m, 4), or None for a method that is no search."""
    given = build(tuple[tuple[float, ...], ...] | None, ours.get("effects"), "vps.effects")
    if given is None:
        return None
    if len(given) != count or {len(row) for row in given} != {4}:
        raise InputError(f"vps.effects must hold {count} times 4 numbers")
    return np.asarray(given)


def _fields(
    record: Mapping[str, Any], name: str, image_size: tuple[int, ...], target: Target
) -> dict[str, Any]:
    """All that is no array, as far as their files tell it."""
    modes = {theirs: ours for ours, theirs in MODES_OF_VPS.items()}
    calls = record.get(_CALLS)
    return {
        "target": target,
        "image_size": (image_size[0], image_size[1]),
        "detector": "",
        "fill": "",
        "region_method": "",
        "search": "",
        "mode": modes.get(record.get("mode", "object"), "object"),
        "lambdas": record_lambdas(record),
        "labels": (target.label,),
        "budget": None,
        "seed": 0,
        "passes": 0 if calls is None else int(record_number(calls, _CALLS)),
        "seconds": 0.0,
        "versions": versions(),
        "image_name": name,
    }


def _target(record: Mapping[str, Any]) -> Target:
    box = build(tuple[float, ...], record.get("target_box") or (), "target_box")
    label = record.get("category") or record.get("target_label")
    if isinstance(label, list):
        # Token positions, of which only a list or a tokenizer knows what they mean.
        label = f"tokens {', '.join(map(str, label))}"
    return Target(_box(box), str(label or "unknown"), Kind.CORRECT)


def _box(values: tuple[float, ...]) -> Box:
    return checked_box(values)  # type: ignore[arg-type]

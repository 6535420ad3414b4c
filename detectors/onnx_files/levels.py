"""Files with outputs for each stride: of scores and of distances, or of anchors."""

from __future__ import annotations

from typing import Any

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.outputs import ANCHORS
from detectors.onnx_files.proposal import (
    LETTERBOX,
    NANODET,
    NORMALISED,
    SIZE,
    Proposal,
    is_real,
    sides,
)
from detectors.onnx_files.shapes import grid_of
from detectors.onnx_files.tables import cell_counts

_USUAL = {2: (16, 32), 3: (8, 16, 32), 4: (8, 16, 32, 64)}
_MASKS = 32  # coefficients of a mask, where there are some


def levels(contents: Contents, labels: int | None) -> Proposal | None:
    """NanoDet, PicoDet and other files with scores and distributions of each stride apart."""
    if contents.size is None or len(contents.outputs) % 2:
        return None
    for strides in dict.fromkeys([*cell_counts(contents.size).values()]):
        found = _pairs(contents, strides)
        if found is None:
            continue
        scores, distances, classes, bins = found
        nanodet = all("pred_stride" in name for name in (*scores, *distances))
        output = {
            "head": "distributions",
            "strides": list(strides),
            "bins": bins,
            "scores": scores,
            "distances": distances,
        }
        given: dict[str, Any] = {"channels": "rgb", "scale": 255, "placement": "stretch"}
        questions = dict.fromkeys(("input.mean", "input.std"), NORMALISED)
        return Proposal(
            "NanoDet" if nanodet else "PicoDet, GFL and the like",
            output,
            NANODET if nanodet else given,
            classes,
            notes=("distances are measured from the middle of each cell (centre)",),
            questions={} if nanodet else questions,
        )
    return None


def anchor_grids(contents: Contents, labels: int | None) -> Proposal | None:
    """YOLOv3, v5 and v7 without their last layer: (A, h, w, 5 + L) or (A * (5 + L), h, w)."""
    ports = contents.outputs
    shapes = [sides(port) for port in ports if is_real(port) and len(port.shape or ()) in (4, 5)]
    if not 2 <= len(shapes) == len(ports) or len({len(shape) for shape in shapes}) > 1:
        return None
    size = contents.size or SIZE
    flat = len(shapes[0]) == 3
    grids = [shape[1:] if flat else shape[1:3] for shape in shapes]
    strides = _strides(grids, size)
    widths = {shape[0] if flat else shape[3] for shape in shapes}
    (width,) = widths if len(widths) == 1 else (None,)
    if width is None or strides is None:
        return None
    if flat:
        width, rest = divmod(width, 3)  # Three anchors a cell are usual.
        width = 0 if rest else width
    extra = 0 if labels is None else width - 5 - labels
    if width <= 5 or extra not in (0, _MASKS):
        return None
    output = {"head": "anchors", "strides": strides, "outputs": [port.name for port in ports]}
    questions = {"output.anchors": ANCHORS}
    if flat:
        questions["output.form"] = "yolov5 (v5, v7), or darknet (YOLOv3 and v4 of darknet)"
        questions["input.placement"] = "centre (v5, v7), or stretch (darknet)"
    return Proposal(
        "YOLOv3, YOLOv5 or YOLOv7 without its last layer",
        {**output, "extra": extra} if extra else output,
        {"channels": "rgb", "scale": 1} if flat else LETTERBOX,
        width - 5,
        size=SIZE,
        notes=(f"the last {extra} columns are no class scores and are left",) if extra else (),
        questions=questions,
    )


def _strides(grids: list[list[int | None]], size: tuple[int, int]) -> list[int] | None:
    """The stride of each grid (h, w) of an input; None where one is of none, or two of the same."""
    if any(None in grid for grid in grids):
        # In the usual order, which is checked against the grids of the first image.
        return list(_USUAL[len(grids)]) if len(grids) in _USUAL else None
    strides = {grid_of(size, stride): stride for stride in (128, 64, 32, 16, 8, 4)}
    found = [strides.get((grid[0] or 0, grid[1] or 0), 0) for grid in grids]
    return found if all(found) and len(set(found)) == len(found) else None


def _pairs(
    contents: Contents, strides: tuple[int, ...]
) -> tuple[list[str], list[str], int, int] | None:
    """Names of outputs with scores and with distances, by stride; classes and bins."""
    if contents.size is None or len(contents.outputs) != 2 * len(strides):
        return None
    widths: list[tuple[int, str, int, str]] = []
    for stride in strides:
        grid = grid_of(contents.size, stride)
        found = [(_width(port, grid), port.name) for port in contents.outputs]
        here = [(width, name) for width, name in found if width is not None]
        if len(here) != 2:
            return None
        (first, one), (second, other) = here
        widths.append((first, one, second, other))
    if len({(first, second) for first, _, second, _ in widths}) != 1:
        return None
    first, _, second, _ = widths[0]
    ones, others = [one for _, one, _, _ in widths], [other for _, _, _, other in widths]
    # Distances have four numbers a bin, as a rule 32 or 64; scores are what is left.
    if second % 4 == 0 and (first % 4 or second in (32, 64) or first not in (32, 64)):
        return ones, others, first, second // 4
    return (others, ones, second, first // 4) if first % 4 == 0 else None


def _width(port: Any, grid: tuple[int, int]) -> int | None:
    """Numbers a cell of an output with a grid (h, w) of cells: (n, C), (C, n) or (C, h, w)."""
    shape, count = sides(port), grid[0] * grid[1]
    if len(shape) == 2 and count in shape:
        return shape[1] if shape[0] == count else shape[0]
    return shape[0] if len(shape) == 3 and shape[1:] == list(grid) else None

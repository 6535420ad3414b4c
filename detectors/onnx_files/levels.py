"""Files with an output of scores and one of distances for each stride."""

from __future__ import annotations

from typing import Any

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.grids import grid_of
from detectors.onnx_files.proposal import NANODET, NORMALISED, Proposal, sides
from detectors.onnx_files.tables import cell_counts


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

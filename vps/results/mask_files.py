"""Masks of regions in npy files, as VPS and PhaseWin write them; nothing is unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vps.core.files import check_file, shown_path, written_atomically
from vps.engine.pixel_steps import pixel_steps
from vps.errors import InputError, one_line

_PIXELS = 1 << 28  # of a grid; Pillow itself refuses more


def write_masks(path: Path, label_map: np.ndarray, order: np.ndarray) -> None:
    """Write (m, h, w, 1) uint8, 1 inside a region, the regions in their order; never all in memory.

    Args:
        path: of the file.
        label_map: (h, w) int, the region 0..m-1 of each pixel.
        order: (m,) all regions.

    Raises:
        OutputError: the file cannot be written.
    """
    head = {"descr": "|u1", "fortran_order": False, "shape": (len(order), *label_map.shape, 1)}
    with written_atomically(path) as file:
        np.lib.format.write_array_header_1_0(file, head)
        for region in order:
            file.write((label_map == region).astype(np.uint8).tobytes())


def ranks_and_map(path: Path, steps: int) -> tuple[np.ndarray, np.ndarray | None]:
    """What a result shows step by step: the masks of its regions, or a map's pixels in equal parts.

    Args:
        path: of masks (m, h, w, 1), the first shown first, or of a map (h, w), as the authors'
            code has it of the methods that theirs is compared with.
        steps: in how many steps the pixels of a map were shown.

    Returns:
        (h, w) int32, of each pixel the step that shows it, from 0; and the map, (h, w) float32, or
        None where there are masks.

    Raises:
        InputError: the file is missing or damaged, its masks are no partition, or its map is not
            finite.
    """
    found = _array(path, "masks")
    if found.ndim == 2 and found.dtype.kind == "f":
        _check_size(path, found)
        values = np.array(found, np.float32)
        return pixel_steps(values, steps).label_map, values
    return _mask_ranks(path, found), None


def _mask_ranks(path: Path, masks: np.ndarray) -> np.ndarray:
    """(h, w) int32, of each pixel the number of the mask that it is in, 0..m-1."""
    if masks.ndim == 4 and masks.shape[3] == 1:
        masks = masks[..., 0]
    if masks.ndim != 3 or min(masks.shape) < 1 or masks.dtype.kind not in "biuf":
        raise InputError(
            f"{shown_path(path)} must hold masks (m, h, w, 1), or a map (h, w) of floats, got "
            f"{masks.dtype} {masks.shape}"
        )
    _check_size(path, masks[0])
    ranks = np.full(masks.shape[1:], -1, np.int32)
    for rank, mask in enumerate(masks):
        inside = np.asarray(mask) != 0
        if not inside.any() or (ranks[inside] >= 0).any():
            why = "is empty" if not inside.any() else "overlaps an earlier one"
            raise InputError(f"{shown_path(path)}: mask {rank} {why}; regions are a partition")
        ranks[inside] = rank
    if (ranks < 0).any():
        share = (ranks < 0).mean()
        raise InputError(
            f"{shown_path(path)}: no mask covers {share:.1%} of the image; regions are a partition"
        )
    return ranks


def _check_size(path: Path, grid: np.ndarray) -> None:
    if grid.size > _PIXELS:
        raise InputError(f"{shown_path(path)} is of {grid.shape} pixels, too many")


def read_map(path: Path) -> np.ndarray | None:
    """(h, w) float32, a map on the detector's grid; None where there is no such file.

    Raises:
        InputError: it is damaged.
    """
    return np.array(_array(path, "map"), np.float32) if path.is_file() else None


def _array(path: Path, what: str) -> np.ndarray:
    """An array that is read as it is needed, and never unpickled."""
    check_file(path, what)
    try:
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TypeError) as error:
        raise InputError(f"{what} {shown_path(path)} cannot be read: {one_line(error)}") from error
    if not isinstance(found, np.ndarray):
        raise InputError(f"{what} {shown_path(path)} is no array but an archive")
    return found

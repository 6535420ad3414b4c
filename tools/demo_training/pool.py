"""Drawn scenes at the detector's resolution, kept on disk so that drawing never slows training."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vps.data.scenes.drawing import COLOURS
from vps.data.scenes.layouts import CATEGORIES
from vps.data.scenes.scenes import Scene, make_scene

# The Grounding DINO sees the shorter side at 128 pixels: its image processor's rule for these
# sizes. Florence-2 resizes whatever it gets to a square.
SHORTEST_EDGE, LONGEST_EDGE = 128, 160
SQUARE_EDGE = 128
COLOUR_NAMES = ("", *COLOURS)
MAX_OBJECTS = 16
# One object a row: category, colour, box xyxy, box of the cause xyxy (NaN without one), all boxes
# as shares of width and height.
COLUMNS = 10
Resized = Callable[[tuple[int, int]], tuple[int, int]]


@dataclass(frozen=True)
class Bucket:
    """Scenes of one shape: images (n, h, w, 3) uint8, objects (n, MAX_OBJECTS, COLUMNS)."""

    images: np.ndarray
    objects: np.ndarray
    counts: np.ndarray


def model_size(size: tuple[int, int]) -> tuple[int, int]:
    """(h, w) at which the Grounding DINO sees a scene of (H, W)."""
    scale = min(SHORTEST_EDGE / min(size), LONGEST_EDGE / max(size))
    return round(size[0] * scale), round(size[1] * scale)


def square_size(size: tuple[int, int]) -> tuple[int, int]:
    """(h, w) at which Florence-2 sees a scene of (H, W)."""
    del size
    return SQUARE_EDGE, SQUARE_EDGE


def encode(scene: Scene, resized: Resized = model_size) -> tuple[np.ndarray, np.ndarray]:
    """A scene as the image (h, w, 3) that the detector sees and its objects (k, COLUMNS)."""
    height, width = scene.layout.size
    h, w = resized(scene.layout.size)
    image = Image.fromarray(scene.image).resize((w, h), Image.Resampling.BILINEAR)
    scale = np.array([width, height, width, height], dtype=np.float32)
    rows = []
    for item in scene.objects[:MAX_OBJECTS]:
        cause = np.full(4, np.nan)
        if item.cause is not None and item.cause.any():
            columns, lines = (np.flatnonzero(item.cause.any(axis=axis)) for axis in (0, 1))
            cause = np.array([columns[0], lines[0], columns[-1] + 1, lines[-1] + 1]) / scale
        kind = (CATEGORIES.index(item.category), COLOUR_NAMES.index(item.colour))
        rows.append(np.concatenate([kind, np.array(item.box) / scale, cause]))
    return np.asarray(image), np.array(rows, dtype=np.float32).reshape(-1, COLUMNS)


def _draw_part(
    seed: int, start: int, stop: int, resized: Resized
) -> list[tuple[np.ndarray, np.ndarray]]:
    return [encode(make_scene(seed, index), resized) for index in range(start, stop)]


def build_pool(
    folder: Path,
    *,
    seed: int,
    start: int,
    stop: int,
    workers: int,
    resized: Resized = model_size,
) -> None:
    """Draw scenes [start, stop) of a seed into one compressed-free npz file a part of 1,000."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [part for part in range(start, stop, 1000) if not _part_file(folder, part).exists()]
    with ProcessPoolExecutor(workers) as pool:
        futures = [
            pool.submit(_draw_part, seed, part, min(part + 1000, stop), resized) for part in parts
        ]
        for part, future in zip(parts, futures, strict=True):
            _write_part(_part_file(folder, part), future.result())


def _part_file(folder: Path, part: int) -> Path:
    return folder / f"part_{part:07d}.npz"


def _write_part(path: Path, scenes: list[tuple[np.ndarray, np.ndarray]]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for h, w in sorted({image.shape[:2] for image, _ in scenes}):
        chosen = [scene for scene in scenes if scene[0].shape[:2] == (h, w)]
        objects = np.zeros((len(chosen), MAX_OBJECTS, COLUMNS), dtype=np.float32)
        for row, (_, boxes) in enumerate(chosen):
            objects[row, : len(boxes)] = boxes
        arrays[f"images_{h}x{w}"] = np.stack([image for image, _ in chosen])
        arrays[f"objects_{h}x{w}"] = objects
        arrays[f"counts_{h}x{w}"] = np.array([len(boxes) for _, boxes in chosen])
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def read_pool(folder: Path) -> list[Bucket]:
    """All parts drawn so far, one bucket a shape."""
    parts = [np.load(path) for path in sorted(folder.glob("part_???????.npz"))]
    if not parts:
        raise FileNotFoundError(f"no scenes in {folder}: run the stage 'draw' first")
    shapes = [name.removeprefix("images_") for name in parts[0].files if name.startswith("images_")]
    return [
        Bucket(
            *(
                np.concatenate([part[f"{kind}_{shape}"] for part in parts])
                for kind in ("images", "objects", "counts")
            )
        )
        for shape in shapes
    ]

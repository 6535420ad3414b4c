"""Synthetic scenes with known causes.

A scene holds plain objects, told by their own outline and colour, and *context* objects, told only
by something outside their outline: the same disc is a "wheel" under a bar and a "ball" elsewhere;
the same plate is a "buoy" over waves and a "plate" elsewhere. So the pixels that a right
explanation of "wheel" must hold are known by construction. Everything is deterministic in
(seed, index), and a scene can be drawn again with a cause left out and nothing else changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vps.data.scenes import drawing
from vps.data.scenes.expressions import Thing
from vps.data.scenes.layouts import WITHOUT_CAUSE, Element, Layout, lay_out
from vps.errors import InputError

_MIN_VISIBLE = 0.35


@dataclass(frozen=True, eq=False)
class SceneObject:
    """What is annotated of an object.

    Attributes:
        category: one of CATEGORIES.
        colour: a name of drawing.COLOURS, or "" for context objects.
        box: xyxy of its visible pixels.
        mask: (H, W) bool, its visible pixels.
        cause: (H, W) bool, the visible pixels that make it what it is, outside its outline; None
            where its own look tells.
        element: its index in the layout.
        truncated: the image border cuts it.
    """

    category: str
    colour: str
    box: tuple[float, float, float, float]
    mask: np.ndarray = field(repr=False)
    cause: np.ndarray | None = field(repr=False)
    element: int
    truncated: bool

    @property
    def name(self) -> str:
        """Colour and category: "red circle"; context objects have no colour: "wheel"."""
        return f"{self.colour} {self.category}".strip()


@dataclass(frozen=True, eq=False)
class Scene:
    """A drawn scene: the image (H, W, 3) uint8 RGB and its objects."""

    layout: Layout
    image: np.ndarray
    objects: tuple[SceneObject, ...]

    @property
    def things(self) -> list[Thing]:
        """The objects as `vps.data.scenes.expressions` speaks of them, in the same order."""
        height, width = self.layout.size
        scale = np.array([width, height, width, height])
        return [
            Thing(item.category, item.colour, tuple(np.array(item.box) / scale))
            for item in self.objects
        ]


def make_scene(seed: int, index: int, *, size: tuple[int, int] | None = None) -> Scene:
    """Scene number `index` of the endless set `seed`; `size` is (H, W), by default varied."""
    return draw_scene(lay_out(seed, index, size=size))


def without_cause(scene: Scene, item: SceneObject) -> Scene:
    """The same scene without the cause of one of its objects; its category changes with it.

    Raises:
        InputError: the object has no cause outside itself.
    """
    cause = scene.layout.elements[item.element].cause
    if cause is None:
        raise InputError(f"a {item.category} has no cause outside its own outline")
    return draw_scene(scene.layout, omit=frozenset({cause}))


def draw_scene(layout: Layout, omit: frozenset[int] = frozenset()) -> Scene:
    """Draw a layout, leaving out the elements `omit` and nothing else."""
    canvas = drawing.background(layout.size, _stage(layout, 1))
    _draw_clutter(canvas, _stage(layout, 2))
    owner = np.full(layout.size, -1, dtype=np.int16)
    full_area = np.zeros(len(layout.elements))
    for index, element in enumerate(layout.elements):
        if index in omit:
            continue
        patch, mask = _appearance(element)
        x = round(element.x - mask.shape[1] / 2)
        y = round(element.y - mask.shape[0] / 2)
        inside = drawing.blend(canvas, patch, mask, x, y)
        top, left = max(y, 0), max(x, 0)
        region = owner[top : top + inside.shape[0], left : left + inside.shape[1]]
        region[inside > 0.5] = index
        full_area[index] = np.count_nonzero(mask > 0.5)
    objects = []
    for index, element in enumerate(layout.elements):
        if element.category:
            mask = owner == index
            if np.count_nonzero(mask) >= _MIN_VISIBLE * full_area[index]:
                objects.append(_annotate(layout, index, mask, owner, omit))
    image = drawing.camera(canvas, _stage(layout, 3))
    return Scene(layout, image, tuple(objects))


def _annotate(
    layout: Layout, index: int, mask: np.ndarray, owner: np.ndarray, omit: frozenset[int]
) -> SceneObject:
    element = layout.elements[index]
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    category, cause = element.category, None
    if element.cause is not None:
        if element.cause in omit:
            category = WITHOUT_CAUSE[category]
        else:
            cause = owner == element.cause
    height, width = layout.size
    truncated = box[0] <= 0 or box[1] <= 0 or box[2] >= width or box[3] >= height
    return SceneObject(category, element.colour, box, mask, cause, index, truncated)


def _stage(layout: Layout, stage: int) -> np.random.Generator:
    return np.random.default_rng([layout.seed, layout.index, stage])


def _draw_clutter(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """Scraps smaller than any object, and flat cards, behind everything."""
    height, width = canvas.shape[:2]
    unit = min(height, width)
    for _ in range(rng.integers(4, 22)):
        kind = rng.choice(["bar", "ellipse", "square", "half"])
        radius = unit * rng.uniform(0.008, 0.035)
        mask = drawing.shape_mask(kind, radius, rng.uniform(0, np.pi), rng.uniform(1, 3))
        colour = drawing.dull_colour(rng) + rng.uniform(-40, 40, 3).astype(np.float32)
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        patch = np.broadcast_to(np.clip(colour, 0, 255), (*mask.shape, 3))
        _blend_if_inside(canvas, patch, mask * rng.uniform(0.4, 1), x, y)
    for _ in range(rng.integers(0, 3)):
        shape = (int(unit * rng.uniform(0.1, 0.4)), int(unit * rng.uniform(0.1, 0.5)))
        patch = np.broadcast_to(drawing.dull_colour(rng), (*shape, 3))
        x = int(rng.uniform(0, width - shape[1]))
        y = int(rng.uniform(0, height - shape[0]))
        _blend_if_inside(canvas, patch, np.full(shape, rng.uniform(0.5, 1), np.float32), x, y)


def _blend_if_inside(
    canvas: np.ndarray, patch: np.ndarray, mask: np.ndarray, x: int, y: int
) -> None:
    if x < canvas.shape[1] and y < canvas.shape[0]:
        drawing.blend(canvas, patch, mask, x, y)


def _appearance(element: Element) -> tuple[np.ndarray, np.ndarray]:
    """The patch (n, n, 3) and mask (n, n) of an element."""
    rng = np.random.default_rng(element.seed)
    water = element.kind in ("waves", "water")
    outline = "pool" if water else element.kind
    mask = drawing.shape_mask(outline, element.radius, element.angle, element.stretch)
    if element.kind == "waves":
        return drawing.waves(mask.shape, rng), mask
    if element.kind == "water":
        return drawing.surface(mask.shape, drawing.named_colour("blue", rng), rng), mask
    if element.kind == "disc":
        tyre = np.full(3, rng.uniform(25, 60), np.float32)
        hub = np.full(3, rng.uniform(170, 225), np.float32)
        return _rings(mask.shape, element.radius, [(1.0, tyre), (0.5, hub), (0.2, tyre)]), mask
    if element.kind == "plate":
        rim = np.array([200, 60, 50], np.float32) + rng.uniform(-20, 20)
        white = np.full(3, rng.uniform(215, 245), np.float32)
        return _rings(mask.shape, element.radius, [(1.0, white), (0.72, rim), (0.42, white)]), mask
    if element.colour in drawing.COLOURS:
        colour = drawing.named_colour(element.colour, rng)
    else:
        colour = drawing.dull_colour(rng)
    return drawing.surface(mask.shape, colour, rng), mask


def _rings(
    shape: tuple[int, int], radius: float, bands: list[tuple[float, np.ndarray]]
) -> np.ndarray:
    """Concentric bands (h, w, 3); each entry is an outer radius, as a share, and a colour."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(y - shape[0] // 2, x - shape[1] // 2)[..., None]
    patch = np.broadcast_to(bands[0][1], (*shape, 3)).astype(np.float32)
    for share, colour in bands[1:]:
        cover = np.clip(radius * share - distance + 0.5, 0, 1).astype(np.float32)
        patch = patch * (1 - cover) + colour * cover
    return patch

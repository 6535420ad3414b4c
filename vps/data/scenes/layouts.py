"""What stands where in a synthetic scene, before anything is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vps.data.scenes.drawing import COLOURS

PLAIN = ("circle", "square", "triangle", "star", "cross", "ring")
CONTEXT = ("ball", "wheel", "plate", "buoy")
CATEGORIES = PLAIN + CONTEXT
CAUSES = ("bar", "waves")
"""Kinds of elements that make a context object what it is, or stand about."""

# What a context object is called once its cause is gone.
WITHOUT_CAUSE = {"wheel": "ball", "buoy": "plate"}
# The coloured names of plain objects ("red circle"), and the context objects, which have no colour.
NAMES = tuple(f"{colour} {shape}" for shape in PLAIN for colour in COLOURS) + CONTEXT

SIZES = ((320, 320), (320, 400), (400, 320), (240, 240), (480, 480))
_LOOK_ALIKES = ("ellipse", "hexagon", "half", "bar")


@dataclass(frozen=True)
class Element:
    """One thing that is drawn.

    Attributes:
        kind: an outline of `vps.data.scenes.drawing`, or "waves".
        x, y: its centre in pixels.
        radius: in pixels.
        angle: in radians.
        stretch: how much wider than high, before it is turned.
        colour: a name of COLOURS, or "" for a look of its own.
        seed: of its texture and shade.
        category: one of CATEGORIES if it is annotated, else "".
        cause: index of the element that makes it what it is.
    """

    kind: str
    x: float
    y: float
    radius: float
    angle: float = 0.0
    stretch: float = 1.0
    colour: str = ""
    seed: int = 0
    category: str = ""
    cause: int | None = None

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """A box, xyxy, that holds the upright element; a turned one may stick out a little."""
        height = self.radius * (0.24 if self.kind == "bar" else 1)
        width = self.radius * self.stretch
        return self.x - width, self.y - height, self.x + width, self.y + height


@dataclass(frozen=True)
class Layout:
    """Elements from back to front; `size` is (H, W)."""

    seed: int
    index: int
    size: tuple[int, int]
    elements: tuple[Element, ...]


def lay_out(
    seed: int,
    index: int,
    *,
    size: tuple[int, int] | None = None,
    name_weights: np.ndarray | None = None,
) -> Layout:
    """The layout number `index` of the endless set `seed`.

    Args:
        seed, index: together they determine everything.
        size: (H, W); by default one of SIZES.
        name_weights: (36,) how often each coloured plain name (the first of NAMES) is drawn; by
            default shapes and colours are equally likely and like to repeat within a scene.
    """
    rng = np.random.default_rng([seed, index, 0])
    size = size or SIZES[rng.integers(len(SIZES))]
    groups: list[list[Element]] = []
    plain: list[Element] = []
    for _ in range(rng.integers(3, 8)):
        kind = rng.choice(["plain", "disc", "plate"], p=[0.64, 0.18, 0.18])
        if kind == "plain":
            group = _plain(rng, size, plain, name_weights)
        else:
            group = _disc(rng, size) if kind == "disc" else _plate(rng, size)
        # Objects may overlap a little; whatever tells a context object must stay in sight.
        if _place(rng, group, groups, size, overlap=0.3 if kind == "plain" else 0.0):
            plain += [groups[-1][0]] if kind == "plain" else []
    for _ in range(rng.integers(0, 4)):
        _place(rng, _look_alike(rng, size), groups, size, overlap=0.15)
    order = rng.permutation(len(groups))
    elements: list[Element] = []
    for position in order:
        start = len(elements)
        elements += [
            element if element.cause is None else replace(element, cause=start + element.cause)
            for element in groups[position]
        ]
    return Layout(seed, index, size, tuple(elements))


def with_causes(layout: Layout) -> Layout:
    """The same layout with all bars and waves, whatever they cause, as objects of that name."""
    elements = tuple(
        replace(element, category=element.kind) if element.kind in CAUSES else element
        for element in layout.elements
    )
    return replace(layout, elements=elements)


def _radius(rng: np.random.Generator, size: tuple[int, int], low: float, high: float) -> float:
    """A radius, log-uniform between two shares of the image's shorter side."""
    return min(size) * math.exp(rng.uniform(math.log(low), math.log(high)))


def _texture_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _plain(
    rng: np.random.Generator,
    size: tuple[int, int],
    before: list[Element],
    name_weights: np.ndarray | None,
) -> list[Element]:
    if name_weights is not None:
        colour, shape = NAMES[rng.choice(len(name_weights), p=name_weights)].split()
    else:
        shape, colour = str(rng.choice(PLAIN)), str(rng.choice(list(COLOURS)))
        # Repeats within a scene give referring expressions something to tell apart.
        if before and rng.random() < 0.5:
            other = before[rng.integers(len(before))]
            if rng.random() < 0.65:
                shape = other.category
            else:
                colour = other.colour
    angle = rng.uniform(-0.35, 0.35)
    radius = _radius(rng, size, 0.055, 0.17)
    seed = _texture_seed(rng)
    return [Element(shape, 0, 0, radius, angle, 1.0, colour, seed, category=shape)]


def _disc(rng: np.random.Generator, size: tuple[int, int]) -> list[Element]:
    """One disc or two: wheels under a bar; balls on a bar, beside one, or without.

    How many there are says nothing of what they are, or a pair would be a cue besides the bar.
    """
    radius = _radius(rng, size, 0.06, 0.12)
    pair = rng.random() < 0.5
    bar_radius = radius * rng.uniform(2.2 if pair else 1.7, 2.4)
    gap = rng.uniform(1, 3)
    side = bar_radius * 0.56 if pair else bar_radius * rng.uniform(-0.3, 0.3)
    place = rng.choice(["above", "below", "beside", "nowhere"], p=[0.5, 0.15, 0.1, 0.25])
    wheel = place == "above"
    looks, bar_looks = _texture_seed(rng), _texture_seed(rng)
    discs = [
        Element(
            kind="disc",
            x=x,
            y=0,
            radius=radius,
            seed=looks,
            category="wheel" if wheel else "ball",
            cause=0 if wheel else None,
        )
        for x in ((-side, side) if pair else (side,))
    ]
    if place == "nowhere":
        return discs
    rise = 0.24 * bar_radius + gap + radius
    aside = rng.choice([-1, 1]) * (abs(side) + radius + gap + 2 + bar_radius)
    x, y = {
        "above": (0.0, -rise),
        "below": (0.0, rise),
        "beside": (aside, rng.uniform(-0.2, 1) * radius),
    }[str(place)]
    return [Element("bar", x, y, bar_radius, seed=bar_looks), *discs]


def _plate(rng: np.random.Generator, size: tuple[int, int]) -> list[Element]:
    """A buoy over waves, or a plate: alone, over still water, or beside waves."""
    radius = _radius(rng, size, 0.06, 0.12)
    seed = _texture_seed(rng)
    water = Element(
        "waves",
        rng.uniform(-0.4, 0.4) * radius,
        rng.uniform(-0.2, 0.4) * radius,
        radius * rng.uniform(1.7, 2.1),
        stretch=rng.uniform(1.1, 1.5),
        seed=_texture_seed(rng),
    )
    case = rng.choice(["buoy", "alone", "still", "beside"], p=[0.5, 0.25, 0.15, 0.1])
    if case == "buoy":
        return [water, Element("plate", 0, 0, radius, seed=seed, category="buoy", cause=0)]
    plate = Element("plate", 0, 0, radius, seed=seed, category="plate")
    if case == "alone":
        return [plate]
    if case == "still":
        return [replace(water, kind="water"), plate]
    aside = rng.choice([-1, 1]) * (water.radius * water.stretch + radius + 3)
    return [replace(water, x=aside), plate]


def _look_alike(rng: np.random.Generator, size: tuple[int, int]) -> list[Element]:
    """Something that is nearly an object: not annotated."""
    kind = str(rng.choice([*_LOOK_ALIKES, "waves"]))
    radius = _radius(rng, size, 0.05, 0.15)
    if kind == "waves":
        return [Element("waves", 0, 0, radius * 1.3, 0.0, 1.4, seed=_texture_seed(rng))]
    colour = str(rng.choice(list(COLOURS))) if kind != "bar" else ""
    angle = rng.uniform(-0.3, 0.3)
    return [Element(kind, 0, 0, radius, angle, 1.0, colour, _texture_seed(rng))]


def _place(
    rng: np.random.Generator,
    group: list[Element],
    groups: list[list[Element]],
    size: tuple[int, int],
    *,
    overlap: float,
) -> bool:
    """Move a group to where it hides, and is hidden by, at most `overlap` of a thing's extent."""
    height, width = size
    extents = np.array([element.extent for element in group])
    left, top = extents[:, :2].min(axis=0)
    right, bottom = extents[:, 2:].max(axis=0)
    # One plain object in eight may be cut by the border; what carries a cause never is.
    cut = 0.3 * (right - left) if len(group) == 1 and rng.random() < 0.12 else -2.0
    low, high = (-left - cut, -top - cut), (width - right + cut, height - bottom + cut)
    if low[0] >= high[0] or low[1] >= high[1]:
        return False
    whole = np.array([left, top, right, bottom])
    for _ in range(40):
        dx, dy = rng.uniform(low[0], high[0]), rng.uniform(low[1], high[1])
        moved = whole + (dx, dy, dx, dy)
        # A group of several holds a cause: it keeps clear of everything that comes later, too.
        if all(_hidden(moved, other) <= (overlap if len(other) == 1 else 0.0) for other in groups):
            groups.append([replace(item, x=item.x + dx, y=item.y + dy) for item in group])
            return True
    return False


def _hidden(box: np.ndarray, group: list[Element]) -> float:
    """The largest share of the smaller of two extents that they have in common."""
    boxes = np.array([element.extent for element in group])
    shared = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    common = np.clip(shared, 0, None).prod(axis=1)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return float((common / np.minimum(sizes, (box[2:] - box[:2]).prod())).max())

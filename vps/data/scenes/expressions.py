"""Referring expressions for scenes: "the red circle left of the blue square".

Each expression is true of exactly one object, by a margin that a person would grant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# By how much of the image positions must differ, and areas by which ratio.
_MARGIN = 0.06
_SIZE_RATIO = 1.7

BoxSequence = Sequence[float]
_RELATIONS: dict[str, Callable[[BoxSequence, BoxSequence], float]] = {
    "left of": lambda a, b: _centre(b, 0) - _centre(a, 0),
    "right of": lambda a, b: _centre(a, 0) - _centre(b, 0),
    "above": lambda a, b: _centre(b, 1) - _centre(a, 1),
    "below": lambda a, b: _centre(a, 1) - _centre(b, 1),
}
_PLACES: dict[str, Callable[[BoxSequence], float]] = {
    "leftmost": lambda box: -_centre(box, 0),
    "rightmost": lambda box: _centre(box, 0),
    "top": lambda box: -_centre(box, 1),
    "bottom": lambda box: _centre(box, 1),
}
KINDS = ("attribute", "size", "place", "relation")
WORDS = ("the", "large", "small", "left", "right", "of", "above", "below", *_PLACES)


@dataclass(frozen=True)
class Thing:
    """What an expression can speak of; `box` is xyxy as shares of the image."""

    category: str
    colour: str
    box: tuple[float, float, float, float]

    @property
    def nouns(self) -> tuple[str, ...]:
        """What it can be called."""
        return (
            (self.category, f"{self.colour} {self.category}") if self.colour else (self.category,)
        )


@dataclass(frozen=True)
class Expression:
    """`text` is true of the thing number `target` alone; `kind` is one of KINDS."""

    text: str
    target: int
    kind: str


def expressions(things: Sequence[Thing]) -> list[Expression]:
    """All expressions of a scene, in a fixed order."""
    called: dict[str, list[int]] = {}
    for index, thing in enumerate(things):
        for noun in thing.nouns:
            called.setdefault(noun, []).append(index)
    found: list[Expression] = []
    for noun, indices in called.items():
        if len(indices) == 1:
            found.append(Expression(f"the {noun}", indices[0], "attribute"))
        else:
            found += _by_size(things, noun, indices) + _by_place(things, noun, indices)
        found += _by_relation(things, noun, indices, called)
    return found


def choose_expression(found: Sequence[Expression], rng: np.random.Generator) -> Expression:
    """One expression; every kind that is there is equally likely."""
    kinds = sorted({expression.kind for expression in found})
    kind = kinds[rng.integers(len(kinds))]
    chosen = [expression for expression in found if expression.kind == kind]
    return chosen[rng.integers(len(chosen))]


def _centre(box: BoxSequence, axis: int) -> float:
    return (box[axis] + box[axis + 2]) / 2


def _area(box: BoxSequence) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _by_size(things: Sequence[Thing], noun: str, indices: list[int]) -> list[Expression]:
    ranked = sorted(indices, key=lambda index: _area(things[index].box))
    areas = [_area(things[index].box) for index in ranked]
    found = []
    if areas[1] >= _SIZE_RATIO * areas[0]:
        found.append(Expression(f"the small {noun}", ranked[0], "size"))
    if areas[-1] >= _SIZE_RATIO * areas[-2]:
        found.append(Expression(f"the large {noun}", ranked[-1], "size"))
    return found


def _by_place(things: Sequence[Thing], noun: str, indices: list[int]) -> list[Expression]:
    found = []
    for word, position in _PLACES.items():
        ranked = sorted(indices, key=lambda index: -position(things[index].box))
        lead = position(things[ranked[0]].box) - position(things[ranked[1]].box)
        if lead >= _MARGIN:
            found.append(Expression(f"the {word} {noun}", ranked[0], "place"))
    return found


def _by_relation(
    things: Sequence[Thing], noun: str, indices: list[int], called: dict[str, list[int]]
) -> list[Expression]:
    """Relations to a thing that its own noun already singles out; they need not be needed."""
    found = []
    for anchor_noun, anchors in called.items():
        anchor = anchors[0]
        if len(anchors) > 1 or anchor in indices:
            continue
        for words, holds in _RELATIONS.items():
            leads = [holds(things[index].box, things[anchor].box) for index in indices]
            true = [index for index, lead in zip(indices, leads, strict=True) if lead >= _MARGIN]
            doubtful = any(-_MARGIN < lead < _MARGIN for lead in leads)
            if len(true) == 1 and not doubtful:
                text = f"the {noun} {words} the {anchor_noun}"
                found.append(Expression(text, true[0], "relation"))
    return found

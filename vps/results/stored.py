"""What results on disk may hold: types, shapes and ranges, told before anything is made of them."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from vps.core.arrays import ArraySchema
from vps.core.numbers import check_range
from vps.errors import InputError

if TYPE_CHECKING:
    from vps.results.answer import Answer, RegionSet
    from vps.results.explanation import Explanation
    from vps.results.word_answer import WordAnswer, WordSet

_ONE = 1 + 1e-6  # a share, but for rounding
_PIXELS = 1 << 28  # of an image; Pillow itself refuses more

SET_NAMES = ("before", "sufficient", "rival_sufficient", "necessary", "repair", "best")
"""The sets of regions of an answer."""

_SHARES = ArraySchema("f", ("m+1",), 0, 1)
_BOXES = ArraySchema("f", ("m+1", 4))

ARRAYS = {
    "label_map": ArraySchema("iu", ("h", "w"), 0),
    "order": ArraySchema("iu", ("m",), 0),
    "measured": ArraySchema("b", ("m+1",), optional=True),
    "objective": ArraySchema("f", ("m+1",)),
    "insertion": _SHARES,
    "deletion": _SHARES,
    "insertion_class": _SHARES,
    "deletion_class": _SHARES,
    "insertion_iou": _SHARES,
    "deletion_iou": _SHARES,
    "areas": _SHARES,
    "insertion_boxes": _BOXES,
    "deletion_boxes": _BOXES,
    "saliency": ArraySchema("f", ("h", "w"), optional=True),
    "effects": ArraySchema("f", ("m", 4), optional=True),
}
"""Of an explanation; m regions on a grid (h, w)."""


def check_explanation(explanation: Explanation) -> None:
    """Raise InputError where an explanation holds what no search can have found."""
    if len(np.unique(explanation.label_map)) != len(explanation.order):
        raise InputError("label_map must show every region of the order")
    if (np.diff(explanation.areas) < 0).any():
        raise InputError("areas must not fall along the order")
    for length in explanation.image_size:
        check_range("image_size", length, 1, _PIXELS)
    check_range("image_size, in pixels,", math.prod(explanation.image_size), 1, _PIXELS)
    for name in ("seed", "passes", "seconds", "rounds", "backward", "backward_cost"):
        check_range(name, getattr(explanation, name))
    check_range("sharing", explanation.sharing, 1)
    if explanation.budget is not None:
        check_range("budget", explanation.budget)


def check_answer(answer: Answer) -> None:
    """Raise InputError where an answer holds what no search can have found."""
    for name in ("best_score", "threshold"):
        check_range(name, getattr(answer, name), high=_ONE)
    for name in ("passes", "seconds"):
        check_range(name, getattr(answer, name))
    _check_rival(answer)
    count = len(answer.explanation.order)
    for name in SET_NAMES:
        found: RegionSet | None = getattr(answer, name)
        if found is not None:
            _check_set(name, found, count)
    if answer.words is not None:
        check_words(answer.words)


def _check_rival(answer: Answer) -> None:
    """Raise InputError unless there is a rival in all places, or in none."""
    if answer.kind is not answer.target.kind:
        raise InputError(f"kind is {answer.kind.value}, but target.kind {answer.target.kind.value}")
    held = answer.rival is not None
    if answer.kind.traits.rival and not held:
        raise InputError(f"rival is missing, which a case of kind {answer.kind.value} has")
    if answer.rival_sufficient is not None and not held:
        raise InputError("rival_sufficient is there without a rival")
    for name in SET_NAMES:
        found: RegionSet | None = getattr(answer, name)
        for part in ("rival_score", "rival_found"):
            if found is not None and (getattr(found, part) is not None) != held:
                raise InputError(
                    f"{name}.{part} must be a number where there is a rival, and null where not"
                )


def _check_set(name: str, found: RegionSet, count: int) -> None:
    check_places(f"{name}.regions", found.regions, count)
    shares = ("area", "score", "class_score", "iou", "found_score", "found_iou", "other_score")
    for share in (*shares, "inside"):
        check_range(f"{name}.{share}", getattr(found, share), high=_ONE)
    for share in ("rival_score", "rival_found"):
        if getattr(found, share) is not None:
            check_range(f"{name}.{share}", getattr(found, share), high=_ONE)
    check_range(f"{name}.passes", found.passes)


def check_words(words: WordAnswer) -> None:
    """Raise InputError where an answer about words holds what no search can have found."""
    for name in ("said_score", "target_score", "threshold"):
        check_range(f"words.{name}", getattr(words, name), high=_ONE)
    for name in ("passes", "seconds"):
        check_range(f"words.{name}", getattr(words, name))
    for place, word in enumerate(words.words):
        for name in ("said_score", "target_score"):
            check_range(f"words[{place}].{name}", getattr(word, name), high=_ONE)
        check_range(f"words[{place}].importance", word.importance, -2 * _ONE, 2 * _ONE)
    for name in ("sufficient", "necessary", "repair"):
        found: WordSet | None = getattr(words, name)
        if found is not None:
            check_places(f"words.{name}.words", found.words, len(words.words))
            check_range(f"words.{name}.score", found.score, high=_ONE)


def check_places(name: str, places: Collection[int], count: int) -> None:
    """Raise InputError unless places are ascending and of 0..count - 1."""
    ascending = sorted(set(places)) == list(places)
    if not ascending or any(not 0 <= place < count for place in places):
        raise InputError(f"{name} must be ascending and below {count}")

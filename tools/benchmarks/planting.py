"""Failures with a planted cause: a thing painted beside an object, or the cue of a look-alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from vps.core.boxes import iou
from vps.core.detector import Detector
from vps.core.targets import Kind, Target
from vps.data.scenes.layouts import WITHOUT_CAUSE
from vps.data.scenes.scenes import Scene, SceneObject, drawing, make_scene, without_cause
from vps.errors import InputError

CLEARLY = 0.5
"""The lowest score of an object that is clearly found before anything is planted."""

_SMALLEST = 0.16
"""Of an object's longer side, as a share of the image's shorter one: what stands beside a small
object shares its region with it, and cannot be hidden alone."""

_DOSES = tuple(np.linspace(0, 1, 6))
_GREY = np.array([124, 116, 104], np.uint8)  # a hidden region, about
PATCHES = 12
"""Grey squares, at random places, under each of which a lost object is to stay lost."""

_SCENES = 50  # looked through for each case

Piece = tuple[np.ndarray, np.ndarray, float, float]
"""A patch (n, n, 3), its mask (n, n), and the x and y of its centre on the image."""


class Planted(NamedTuple):
    """A failure whose cause is known.

    Attributes:
        name: of what was planted.
        scene: its index.
        image: (H, W, 3) uint8, with the cause.
        target: the truth, and what the detector says instead where it is asked.
        cause: (H, W) bool, the planted pixels.
        item: the object.
    """

    name: str
    scene: int
    image: np.ndarray
    target: Target
    cause: np.ndarray
    item: SceneObject


class Look(NamedTuple):
    """What a detector says where an object is: of boxes with IoU > 0.5.

    Attributes:
        score: the highest of the object's own label.
        label: that scores highest; "" without a box.
        best: its score.
    """

    score: float
    label: str
    best: float


def look(detector: Detector, image: np.ndarray, item: SceneObject, label: str) -> Look:
    """What the detector says of an object whose label is given."""
    with torch.no_grad():
        found = detector.detect(detector.prepare(image)[None], (image.shape[0], image.shape[1]))
    near = iou(found.boxes[0].float().cpu(), torch.tensor([item.box]))[:, 0] > 0.5
    if not near.any():
        return Look(0.0, "", 0.0)
    highest = found.scores[0].cpu()[near].amax(dim=0)
    top = int(highest.argmax())
    return Look(float(highest[found.column(label)]), found.labels[top], float(highest[top]))


def found_clearly(seen: Look, label: str) -> bool:
    """Whether the label scores at least CLEARLY, and no other scores higher."""
    return seen.label == label and seen.score >= CLEARLY


def lost_clearly(seen: Look, threshold: float) -> bool:
    """Whether the label scores half of the threshold at most.

    What is lost by a hair comes back with any change of the image, and has no cause to name.
    """
    return seen.score <= threshold / 2


def distractors(detector: Detector, seed: int, wanted: int, threshold: float) -> Iterator[Planted]:
    """Objects that are clearly found, and clearly lost once something is painted beside them.

    They stay lost under each of up to 12 grey squares elsewhere. In each scene the kind of
    DISTRACTORS that has succeeded least is tried first. It grows until the object is lost, or is
    given up.

    Raises:
        InputError: too few in 50 scenes a case.
    """
    counts = Counter(dict.fromkeys(DISTRACTORS, 0))
    for index in range(_SCENES * wanted):
        if counts.total() == wanted:
            return
        scene = make_scene(seed, index)
        for name in sorted(DISTRACTORS, key=lambda kind: counts[kind]):
            case = _spoilt(detector, scene, name, threshold)
            if case is not None:
                counts[name] += 1
                yield case
                break
    _check_enough(counts.total(), wanted)


def _spoilt(detector: Detector, scene: Scene, name: str, threshold: float) -> Planted | None:
    rng = np.random.default_rng([scene.layout.seed, scene.layout.index])
    for item in scene.objects:
        label = item.category
        if item.truncated or _too_small(scene, item):
            continue
        if not found_clearly(look(detector, scene.image, item, label), label):
            continue
        draws = int(rng.integers(2**31))
        for dose in _DOSES:
            image, cause = paint(scene, item, name, dose, draws)
            if not cause.any() or not lost_clearly(look(detector, image, item, label), threshold):
                continue
            if _steady(detector, image, item, label, cause, threshold):
                target = Target(item.box, label, Kind.MISSED)
                return Planted(name, scene.layout.index, image, target, cause, item)
    return None


def _steady(
    detector: Detector,
    image: np.ndarray,
    item: SceneObject,
    label: str,
    cause: np.ndarray,
    threshold: float,
) -> bool:
    """Whether an object stays lost under each of up to 12 grey squares elsewhere.

    A square is a 64th of the image, at one of 12 random places; those that touch the object or what
    is planted are left out.
    """
    rng = np.random.default_rng(0)
    height, width = item.mask.shape
    side = round(math.sqrt(height * width) / 8)
    taken = item.mask | cause
    for _ in range(PATCHES):
        y, x = rng.integers(height - side), rng.integers(width - side)
        square = (slice(y, y + side), slice(x, x + side))
        if taken[square].any():
            continue
        hidden = image.copy()
        hidden[square] = _GREY
        if look(detector, hidden, item, label).score >= threshold:
            return False
    return True


def _too_small(scene: Scene, item: SceneObject) -> bool:
    x1, y1, x2, y2 = item.box
    return max(x2 - x1, y2 - y1) < _SMALLEST * min(scene.layout.size)


def paint(
    scene: Scene, item: SceneObject, name: str, dose: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The image with a distractor beside an object, and the pixels (H, W) bool that it changes.

    The object, what makes it what it is, and a pixel around either keep their own pixels.

    Args:
        scene, item: the object and where it stands.
        name: a key of DISTRACTORS.
        dose: 0..1, how large it is.
        seed: of its looks.
    """
    x1, y1, x2, y2 = item.box
    place = _Place((x1 + x2) / 2, (y1 + y2) / 2, max(x2 - x1, y2 - y1) / 2)
    ink = np.median(scene.image[item.mask], axis=0).astype(np.float32)
    patch, mask, x, y = DISTRACTORS[name](place, ink, dose, np.random.default_rng(seed))
    canvas = scene.image.astype(np.float32)
    left, top = round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2)
    drawing.blend(canvas, patch, mask, left, top)
    kept = item.mask if item.cause is None else item.mask | item.cause
    kept = binary_dilation(kept)
    canvas[kept] = scene.image[kept]
    image = np.clip(canvas, 0, 255).astype(np.uint8)
    return image, (image != scene.image).any(axis=2)


class _Place(NamedTuple):
    """The centre of an object and half of its longer side, in pixels."""

    x: float
    y: float
    radius: float


def _bar(place: _Place, ink: np.ndarray, dose: float, rng: np.random.Generator) -> Piece:
    """A bar above the object, as over a wheel."""
    radius = place.radius * (1.6 + 1.4 * dose)
    mask = drawing.shape_mask("bar", radius, 0.0)
    patch = drawing.surface(mask.shape, drawing.dull_colour(rng), rng)
    return patch, mask, place.x, place.y - 0.24 * radius - 2 - place.radius


def _waves(place: _Place, ink: np.ndarray, dose: float, rng: np.random.Generator) -> Piece:
    """Waves around the object, as around a buoy."""
    mask = drawing.shape_mask("pool", place.radius * (1.2 + dose), 0.0, 1.3)
    return drawing.waves(mask.shape, rng), mask, place.x, place.y + 0.1 * place.radius


def _block(place: _Place, ink: np.ndarray, dose: float, rng: np.random.Generator) -> Piece:
    """A square of the object's own colour at one of its sides."""
    radius = place.radius * (0.8 + 1.2 * dose)
    mask = drawing.shape_mask("square", radius, 0.0)
    away, angle = place.radius + 0.88 * radius + 1, rng.integers(4) * np.pi / 2
    patch = np.broadcast_to(ink, (*mask.shape, 3))
    return patch, mask, place.x + away * np.cos(angle), place.y + away * np.sin(angle)


DISTRACTORS: dict[str, Callable[[_Place, np.ndarray, float, np.random.Generator], Piece]] = {
    "bar": _bar,
    "waves": _waves,
    "block": _block,
}
"""What is painted, by name: an object's place and colour, a dose in 0..1 and draws -> a piece."""


def cues(detector: Detector, seed: int, wanted: int, threshold: float) -> Iterator[Planted]:
    """Balls and plates that are clearly found, and become wheels and buoys once the cue is drawn.

    The truth is the ball or plate, and the detector's mistake the wheel or buoy. To remove the cue
    of a wheel asks the same: what must be hidden of it so that it is a ball. Wheels and buoys take
    turns.

    Raises:
        InputError: too few in 50 scenes a case.
    """
    names, count = cycle(WITHOUT_CAUSE), 0
    name = next(names)
    for index in range(_SCENES * wanted):
        if count == wanted:
            return
        case = _cued(detector, make_scene(seed, index), name, threshold)
        if case is not None:
            name, count = next(names), count + 1
            yield case
    _check_enough(count, wanted)


def _check_enough(count: int, wanted: int) -> None:
    if count < wanted:
        raise InputError(
            f"only {count} of {wanted} failures can be planted in {_SCENES * wanted} scenes: the "
            "detector is not deceived often enough; ask for fewer"
        )


def _cued(detector: Detector, scene: Scene, name: str, threshold: float) -> Planted | None:
    truth = WITHOUT_CAUSE[name]
    for item in scene.objects:
        if item.category != name:
            continue
        before = look(detector, without_cause(scene, item).image, item, truth)
        after = look(detector, scene.image, item, truth)
        turned = lost_clearly(after, threshold) and after.label == name and after.best >= CLEARLY
        if not found_clearly(before, truth) or not turned:
            continue
        assert item.cause is not None
        if _steady(detector, scene.image, item, truth, item.cause, threshold):
            target = Target(item.box, truth, Kind.CLASSIFICATION, name)
            return Planted(name, scene.layout.index, scene.image, target, item.cause, item)
    return None

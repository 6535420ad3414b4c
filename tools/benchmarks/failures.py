"""Whether a planted cause of a failure is what the search says to hide."""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from detectors import load
from tools.benchmarks.causes import causal_regions
from vps.answer import Answer
from vps.attribution import region_sums
from vps.boxes import iou
from vps.data import drawing
from vps.data.layouts import CATEGORIES, WITHOUT_CAUSE
from vps.data.scenes import Scene, SceneObject, make_scene
from vps.detector import Detector
from vps.errors import InputError
from vps.failures import explain_failure
from vps.goals import Goal, seen, wins
from vps.passes import Passes
from vps.regions import Regions
from vps.replay import prefixes
from vps.targets import Kind, Target

_SHAPES = ("circle", "square", "star", "cross", "ring", "hexagon", "disc", "plate", "bar")
_TRIES = 60  # distractors for each object
# Shares of the threshold that an object reaches before, and stays below after: what is lost by a
# hair comes back with any change of the image, and has no cause to name.
_BEFORE, _AFTER = 1.0, 0.8


class Planted(NamedTuple):
    """A failure whose cause is known.

    Attributes:
        image: (H, W, 3) uint8.
        target: what the detector fails at.
        cause: (H, W) bool, the pixels that are to blame.
        item: the object.
    """

    image: np.ndarray
    target: Target
    cause: np.ndarray
    item: SceneObject


class Row(NamedTuple):
    """A repairable case: of the search, and of random orders with as many passes."""

    hit: bool
    area: float
    passes: int
    random_hit: bool
    random_area: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="demo-grounding-dino")
    parser.add_argument("--distractors", type=int, default=20, help="cases (default: 20)")
    parser.add_argument("--cues", type=int, default=12, help="cases (default: 12)")
    parser.add_argument("--regions", type=int, default=49)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=970, help="of the scenes (default: 970)")


def run(arguments: argparse.Namespace) -> None:
    """Explain failures with a planted cause; print one row for each kind of cause."""
    detector = load(arguments.detector, labels=CATEGORIES)
    print(
        f"{detector.name}, about {arguments.regions} regions\n"
        "distractor: painted beside an object until it is clearly missed; asked is what to hide\n"
        "cue: a wheel or buoy, asked why it is no ball or plate; the cue is what to hide\n"
        "repairable: hiding all regions of the cause repairs it\n"
        "found: a region of the cause is in the smallest set to hide; random: in the shortest "
        "prefix\nof random orders, which take as many passes"
    )
    head = ("cause", "cases", "repairable", "found", "area", "passes", "random", "area")
    print(f"{head[0]:>10} " + " ".join(f"{name:>10}" for name in head[1:]))
    for name, cases, wanted in (
        ("distractor", _distractors, arguments.distractors),
        ("cue", _cues, arguments.cues),
    ):
        if wanted < 1:
            continue
        found = cases(detector, arguments.seed, wanted, arguments.threshold)
        rows = [_row(detector, case, arguments) for case in tqdm(found, total=wanted, disable=None)]
        _print(name, len(rows), [row for row in rows if row is not None])


def _print(name: str, cases: int, rows: list[Row]) -> None:
    counts = f"{name:>10} {cases:10d} {len(rows):10d}"
    if not rows:
        print(counts)
        return
    hit, area, passes, random_hit, random_area = (
        statistics.mean(column) for column in zip(*rows, strict=True)
    )
    print(
        f"{counts} {hit:10.0%} {area:10.1%} {passes:10.0f} {random_hit:10.0%} {random_area:10.1%}"
    )


def _row(detector: Detector, case: Planted, arguments: argparse.Namespace) -> Row | None:
    """None where not even hiding the cause repairs the case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        answer = explain_failure(
            detector,
            case.image,
            case.target,
            threshold=arguments.threshold,
            regions=arguments.regions,
            batch_size=arguments.batch_size,
        )
    cause = _regions_of(answer, case)
    regions = Regions(answer.explanation.label_map, "same")
    targets = [case.target, *([answer.rival] if answer.rival else [])]
    size = (case.image.shape[0], case.image.shape[1])
    source = Passes(
        detector,
        detector.prepare(case.image),
        size,
        regions,
        targets,
        batch_size=arguments.batch_size,
    )
    at = answer.threshold
    goal = wins(0, 1, at) if answer.rival else seen(0, at)
    without = np.ones((1, regions.count), bool)
    without[0, cause] = False
    if not len(cause) or not goal(source.evaluate(without))[0][0]:
        return None
    prefix = _random(source, goal, answer.passes)
    hidden = answer.repair.regions if answer.repair is not None else ()
    return Row(
        bool(np.isin(hidden, cause).any()),
        answer.repair.area if answer.repair is not None else 1.0,
        answer.passes,
        bool(prefix[cause].any()),
        float(regions.areas[prefix].sum()),
    )


def _random(source: Passes, goal: Goal, passes: int) -> np.ndarray:
    """(m,) bool: the shortest prefix of random orders whose hiding does it; all if none does."""
    rng, count = np.random.default_rng(0), source.regions.count
    best, start = np.ones(count, bool), source.passes
    while source.passes - start + count <= passes:
        members = prefixes(rng.permutation(count))
        ok, _ = goal(source.evaluate(~members))
        if ok.any() and members[np.argmax(ok)].sum() < best.sum():
            best = members[np.argmax(ok)]
    return best


def _regions_of(answer: Answer, case: Planted) -> np.ndarray:
    """The regions of the cause: of a distractor, those that it fills or that hold much of it."""
    labels = answer.explanation.label_map
    if case.item.cause is not None and case.target.kind is not Kind.MISSED:
        return causal_regions(labels, case.item)
    held = region_sums(case.cause, labels)
    sizes = region_sums(np.ones_like(case.cause), labels)
    return np.flatnonzero((held >= 0.5 * sizes) | (held >= 0.25 * case.cause.sum()))


def _score(detector: Detector, image: np.ndarray, item: SceneObject) -> float:
    """The highest score of the object's label on a box with IoU > 0.5, other labels aside."""
    with torch.no_grad():
        found = detector.detect(detector.prepare(image)[None], (image.shape[0], image.shape[1]))
    near = iou(found.boxes[0].float(), torch.tensor([item.box]).to(found.boxes))[:, 0] > 0.5
    scores = found.scores[0, near, found.column(item.category)]
    return float(scores.max()) if len(scores) else 0.0


def _distractors(detector: Detector, seed: int, wanted: int, threshold: float) -> Iterator[Planted]:
    """Objects that the detector finds, and loses once something is painted beside them."""
    count = 0
    for index in range(50 * wanted):
        scene = make_scene(seed, index)
        case = next(_spoilt(detector, scene, np.random.default_rng([seed, index]), threshold), None)
        if case is not None:
            yield case
            count += 1
        if count == wanted:
            return
    raise InputError(f"only {count} objects in {50 * wanted} scenes can be spoilt; ask for fewer")


def _spoilt(
    detector: Detector, scene: Scene, rng: np.random.Generator, threshold: float
) -> Iterator[Planted]:
    for item in scene.objects:
        if item.truncated or _score(detector, scene.image, item) < _BEFORE * threshold:
            continue
        for _ in range(_TRIES):
            painted = _paint(scene, item, rng)
            if painted is None:
                continue
            if _score(detector, painted[0], item) < _AFTER * threshold:
                target = Target(item.box, item.category, Kind.MISSED)
                yield Planted(painted[0], target, painted[1], item)
                break


def _paint(
    scene: Scene, item: SceneObject, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """The image with a distractor beside an object, and its pixels; None where it would cover the
    object, or what makes it what it is."""
    x1, y1, x2, y2 = item.box
    own = max(x2 - x1, y2 - y1) / 2
    mask = drawing.shape_mask(
        str(rng.choice(_SHAPES)), own * rng.uniform(0.6, 1.2), rng.uniform(0, np.pi)
    )
    away, angle = own * rng.uniform(1.3, 2.6), rng.uniform(0, 2 * np.pi)
    x = round((x1 + x2) / 2 + away * np.cos(angle) - mask.shape[1] / 2)
    y = round((y1 + y2) / 2 + away * np.sin(angle) - mask.shape[0] / 2)
    height, width = scene.image.shape[:2]
    if x < 0 or y < 0 or x + mask.shape[1] > width or y + mask.shape[0] > height:
        return None
    colour = drawing.named_colour(str(rng.choice(list(drawing.COLOURS))), rng)
    if rng.random() < 0.5:
        patch = np.asarray(127 + 110 * drawing.stripes(mask.shape, 8.0, angle), np.float32)
        patch = np.broadcast_to(patch, (*mask.shape, 3))
    else:
        patch = drawing.surface(mask.shape, colour, rng)
    canvas = scene.image.astype(np.float32)
    drawing.blend(canvas, patch, mask, x, y)
    covered = np.zeros((height, width), bool)
    covered[y : y + mask.shape[0], x : x + mask.shape[1]] = mask > 0.5
    box = covered[round(y1) : round(y2), round(x1) : round(x2)]
    if box.any() or (item.cause is not None and (covered & item.cause).any()):
        return None
    return np.clip(canvas, 0, 255).astype(np.uint8), covered


def _cues(detector: Detector, seed: int, wanted: int, threshold: float) -> Iterator[Planted]:
    """Wheels and buoys that the detector calls so; asked is why they are no ball or plate."""
    count = 0
    for index in range(50 * wanted):
        scene = make_scene(seed, index)
        for item in scene.objects:
            if item.cause is None or _score(detector, scene.image, item) < threshold:
                continue
            other = WITHOUT_CAUSE[item.category]
            target = Target(item.box, other, Kind.CLASSIFICATION, item.category)
            yield Planted(scene.image, target, item.cause, item)
            count += 1
            break
        if count == wanted:
            return
    raise InputError(f"only {count} context objects are called right in {50 * wanted} scenes")

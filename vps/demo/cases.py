"""The cases of the demo: which scenes show what, looked for by running the detector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vps.core.boxes import overlap
from vps.core.detect import Detection, detect
from vps.core.detector import OpenVocabularyDetector
from vps.core.targets import Kind, Target
from vps.data.scenes.expressions import expressions
from vps.data.scenes.layouts import CATEGORIES, PLAIN, WITHOUT_CAUSE
from vps.data.scenes.scenes import Scene, SceneObject, make_scene, without_cause

SEED, SCENES = 77, 120  # searched for the cases, in order
_RIGHT, _NOTHING = 0.5, 0.1  # IoU from which a box is right, and below which it is on nothing


@dataclass(frozen=True)
class DemoCase:
    """One case of the demo, before it is explained; `cause` is (H, W) bool where it is known."""

    name: str
    title: str
    kind: str
    text: str
    scene: Scene
    labels: tuple[str, ...]
    target: Target
    cause: np.ndarray | None = None


def find_demo_cases(
    detector: OpenVocabularyDetector,
) -> tuple[list[DemoCase], list[str]]:
    """The first scene for each kind of case, and the kinds for which there is none."""
    finders = (_correct, _referred, _wheel, _buoy, _missed, _wrong, _false, _misread)
    found: dict[str, DemoCase] = {}
    seeing = detector.with_labels(CATEGORIES)
    for index in range(SCENES):
        scene = make_scene(SEED, index)
        detections = detect(seeing, scene.image)
        for finder in finders:
            if finder.__name__ not in found:
                question = next(finder(detector, scene, detections), None)
                if question is not None:
                    found[finder.__name__] = question
                    # Each case is of another scene.
                    break
        if len(found) == len(finders):
            break
    missing = [finder.__name__.strip("_") for finder in finders if finder.__name__ not in found]
    return [found[finder.__name__] for finder in finders if finder.__name__ in found], missing


Finder = Iterator[DemoCase]


def _correct(
    _detector: OpenVocabularyDetector, scene: Scene, detections: list[Detection]
) -> Finder:
    for found in detections:
        item = _object_at(scene, found)
        right = item is not None and item.category == found.label
        if right and found.label in PLAIN and found.score > 0.6:
            yield _question(
                "correct",
                f"Why is this a {found.label}?",
                "correct detection",
                f"It is one. The map should lie on the {found.label} and its outline.",
                scene,
                Target(found.box, found.label),
            )


def _referred(
    detector: OpenVocabularyDetector, scene: Scene, _detections: list[Detection]
) -> Finder:
    things = scene.things
    for expression in expressions(things):
        if expression.kind != "attribute" or expression.text.count(" ") != 2:
            continue
        twins = [t for t in things if t.category == things[expression.target].category]
        found = detect(detector.with_labels((expression.text,)), scene.image)
        item = scene.objects[expression.target]
        if len(twins) > 1 and found and overlap(found[0].box, item.box) >= _RIGHT:
            yield DemoCase(
                "referred",
                f"Why is this \u201c{expression.text}\u201d?",
                "referring expression, grounded right",
                f"There are {len(twins)} of this shape in the scene: colour must tell.",
                scene,
                (expression.text,),
                Target(found[0].box, expression.text, Kind.GROUNDED_RIGHT),
            )


def _wheel(detector: OpenVocabularyDetector, scene: Scene, detections: list[Detection]) -> Finder:
    return _context("wheel", "bar above it", detector, scene, detections)


def _buoy(detector: OpenVocabularyDetector, scene: Scene, detections: list[Detection]) -> Finder:
    return _context("buoy", "wavy water around it", detector, scene, detections)


def _context(
    category: str,
    cause: str,
    detector: OpenVocabularyDetector,
    scene: Scene,
    detections: list[Detection],
) -> Finder:
    """Only where the detector changes its mind without the cause: else it goes by others."""
    otherwise = WITHOUT_CAUSE[category]
    for found in detections:
        item = _object_at(scene, found)
        if not item or not item.category == category == found.label or found.score <= 0.5:
            continue
        image = without_cause(scene, item).image
        seen = detect(detector.with_labels(CATEGORIES), image)
        there = [other for other in seen if overlap(other.box, item.box) >= _RIGHT]
        if {other.label for other in there} == {otherwise}:
            yield DemoCase(
                category,
                f"Why is this a {category} and not a {otherwise}?",
                "context cause",
                f"By construction the two look the same, and only the {cause} tells. Drawn without "
                f"it, the detector says {otherwise} ({there[0].score:.2f}); so a right explanation "
                "holds it.",
                scene,
                CATEGORIES,
                Target(found.box, otherwise, Kind.CLASSIFICATION, category, found.box),
                item.cause,
            )


def _missed(detector: OpenVocabularyDetector, scene: Scene, _detections: list[Detection]) -> Finder:
    boxes = [found.box for found in detect(detector.with_labels(CATEGORIES), scene.image, 0.2)]
    for item in scene.objects:
        if all(overlap(box, item.box) < _RIGHT for box in boxes):
            yield _question(
                "missed",
                f"Why was this {item.category} missed?",
                "missed object",
                "The detector shows no box here. What has to be hidden so that it does?",
                scene,
                Target(item.box, item.category, Kind.MISSED),
            )


def _wrong(_detector: OpenVocabularyDetector, scene: Scene, detections: list[Detection]) -> Finder:
    for found in detections:
        item = _object_at(scene, found)
        if item and item.category != found.label:
            yield _question(
                "mistake",
                f"Why a {found.label}, and why not a {item.category}?",
                "wrong label",
                f"The truth is a {item.category}; the map shows what the detector's own answer, "
                f"{found.label}, goes by.",
                scene,
                Target(item.box, item.category, Kind.CLASSIFICATION, found.label, found.box),
            )


def _false(_detector: OpenVocabularyDetector, scene: Scene, detections: list[Detection]) -> Finder:
    for found in detections:
        if all(overlap(found.box, other.box) < _NOTHING for other in scene.objects):
            yield _question(
                "false-box",
                f"Why did it see a {found.label} here?",
                "false box",
                "There is none: no annotated object is near. The map shows what it was taken for.",
                scene,
                Target(found.box, found.label, Kind.BACKGROUND),
            )


def _misread(
    detector: OpenVocabularyDetector, scene: Scene, _detections: list[Detection]
) -> Finder:
    """A phrase that tells things of one look apart by where they are, grounded wrong."""
    things = scene.things
    for expression in expressions(things):
        if expression.kind != "relation":
            continue
        found = detect(detector.with_labels((expression.text,)), scene.image)
        right = scene.objects[expression.target]
        item = _object_at(scene, found[0]) if found else None
        if item is not None and item.name == right.name and item is not right:
            yield DemoCase(
                "misread",
                f"Why this one, if \u201c{expression.text}\u201d is asked for?",
                "referring expression, grounded wrong",
                "The right box is the one marked \u201ctrue\u201d. Which words did the detector go "
                "by?",
                scene,
                (expression.text,),
                Target(right.box, expression.text, Kind.GROUNDED_WRONG, None, found[0].box),
            )


def _question(
    name: str, title: str, kind: str, text: str, scene: Scene, target: Target
) -> DemoCase:
    return DemoCase(name, title, kind, text, scene, CATEGORIES, target)


def _object_at(scene: Scene, found: Detection) -> SceneObject | None:
    """The object that a detection covers best, if its box is right."""
    best = max(scene.objects, key=lambda item: overlap(found.box, item.box), default=None)
    return best if best and overlap(found.box, best.box) >= _RIGHT else None

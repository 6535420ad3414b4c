"""What a demo detector can do on held-out scenes: the table of its model card."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vps.core.boxes import iou, xyxy_to_xywh
from vps.core.candidates import Candidates
from vps.core.detector import OpenVocabularyDetector
from vps.core.images import read_image
from vps.core.masking import DATASET_MEAN
from vps.data.scenes.expressions import choose_expression, expressions
from vps.data.scenes.layouts import CATEGORIES, PLAIN, WITHOUT_CAUSE
from vps.data.scenes.scene_files import write_coco
from vps.data.scenes.scenes import Scene, SceneObject, make_scene, without_cause

HELD_OUT_SEED = 900
_SHOWN = 0.3  # score from which a user sees a detection


def detect_one(detector: OpenVocabularyDetector, image: np.ndarray) -> Candidates:
    """All candidates of one image (H, W, 3) uint8."""
    return detector.detect(detector.prepare(image)[None], image.shape[:2])


def average_precision(
    detector: OpenVocabularyDetector, *, seed: int, count: int
) -> dict[str, float]:
    """AP and AP50 by pycocotools over `count` scenes, on plain, context and all classes."""
    detector = detector.with_labels(CATEGORIES)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(write_coco(Path(folder), "val", count, seed=seed)))
        rows = []
        for entry in truth.loadImgs(truth.getImgIds()):
            image = read_image(Path(folder) / "images" / "val" / entry["file_name"])
            found = detect_one(detector, image)
            boxes, scores = xyxy_to_xywh(found.boxes[0]).tolist(), found.scores[0].tolist()
            rows += [
                {"image_id": entry["id"], "category_id": label + 1, "bbox": box, "score": score}
                for box, row in zip(boxes, scores, strict=True)
                for label, score in enumerate(row)
                if score > 0.01
            ]
        # pycocotools cannot load an empty list of results.
        results = truth.loadRes(rows) if rows else COCO()
        evaluation = COCOeval(truth, results, "bbox")
        table = {}
        for name, ids in (
            ("plain", range(1, len(PLAIN) + 1)),
            ("context", range(len(PLAIN) + 1, len(CATEGORIES) + 1)),
            ("all", range(1, len(CATEGORIES) + 1)),
        ):
            evaluation.params.catIds = list(ids)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            table[f"AP {name}"], table[f"AP50 {name}"] = map(float, evaluation.stats[:2])
    return table


def called(found: Candidates, item: SceneObject) -> str | None:
    """The label that is shown at IoU 0.5 with an object, the best of several, or None."""
    near = iou(found.boxes[0], torch.tensor([item.box], device=found.boxes.device))[:, 0] >= 0.5
    best = found.scores[0][near].amax(dim=0) if bool(near.any()) else found.scores.new_zeros(1)
    return found.labels[int(best.argmax())] if float(best.max()) >= _SHOWN else None


@dataclass
class Flips:
    """Context objects that were called right, and how many then changed with their cause."""

    objects: int = 0
    right: int = 0
    drawn_without: int = 0
    painted_over: int = 0


def context_flips(detector: OpenVocabularyDetector, *, seed: int, count: int) -> dict[str, Flips]:
    """For wheels and buoys called right: is the cause what told them?

    The cause is taken away in two ways: the scene is drawn again without it, and its pixels are
    painted with the colour that the engine hides regions with.
    """
    detector = detector.with_labels(CATEGORIES)
    table = {category: Flips() for category in WITHOUT_CAUSE}
    for index in range(count):
        scene = make_scene(seed, index)
        found = detect_one(detector, scene.image)
        for item in scene.objects:
            if item.cause is None:
                continue
            flips = table[item.category]
            flips.objects += 1
            if called(found, item) != item.category:
                continue
            flips.right += 1
            wanted = WITHOUT_CAUSE[item.category]
            redrawn = detect_one(detector, without_cause(scene, item).image)
            painted = detect_one(detector, paint_over(scene, item))
            flips.drawn_without += called(redrawn, item) == wanted
            flips.painted_over += called(painted, item) == wanted
    return table


def paint_over(scene: Scene, item: SceneObject) -> np.ndarray:
    """The scene's image with the pixels of an object's cause in the data set's mean colour."""
    image = scene.image.copy()
    image[item.cause] = np.round(np.array(DATASET_MEAN) * 255).astype(np.uint8)
    return image


def grounding(
    detector: OpenVocabularyDetector, *, seed: int, count: int
) -> dict[str, tuple[int, int]]:
    """(right, asked) by kind of expression; right: the best box has IoU 0.5 with the object."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for index in range(count):
        scene = make_scene(seed, index)
        all_expressions = expressions(scene.things)
        if not all_expressions:
            continue
        chosen = choose_expression(all_expressions, np.random.default_rng([seed, index, 9]))
        found = detect_one(detector.with_labels((chosen.text,)), scene.image)
        asked[chosen.kind] += 1
        if not found.boxes.shape[1]:  # a detector that writes boxes may write none
            continue
        best = found.boxes[0, found.scores[0, :, 0].argmax()]
        wanted = torch.tensor([scene.objects[chosen.target].box], device=best.device)
        right[chosen.kind] += bool(iou(best[None], wanted) >= 0.5)
    return {kind: (right[kind], asked[kind]) for kind in sorted(asked)}


def mistakes(detector: OpenVocabularyDetector, *, seed: int, count: int) -> dict[str, int]:
    """How many objects are missed or mislabelled, and how many boxes lie on nothing."""
    detector = detector.with_labels(CATEGORIES)
    table = Counter({"objects": 0, "missed": 0, "wrong label": 0, "false boxes": 0})
    for index in range(count):
        scene = make_scene(seed, index)
        found = detect_one(detector, scene.image)
        shown = found.scores[0].max(dim=1).values >= _SHOWN
        boxes = found.boxes[0][shown]
        truth = torch.tensor([item.box for item in scene.objects]).reshape(-1, 4)
        overlap = iou(boxes, truth) if len(truth) and len(boxes) else torch.zeros(len(boxes), 1)
        table["false boxes"] += int((overlap.max(dim=1).values < 0.1).sum()) if len(boxes) else 0
        for item in scene.objects:
            table["objects"] += 1
            label = called(found, item)
            table["missed"] += label is None
            table["wrong label"] += label is not None and label != item.category
    return dict(table)


def presence(detector: OpenVocabularyDetector, *, seed: int, count: int) -> dict[str, str]:
    """How often a detector that writes boxes writes one of a category that is there, or is not."""
    detector = detector.with_labels(CATEGORIES)
    said = np.zeros((2, 2), dtype=int)
    for index in range(count):
        scene = make_scene(seed, index)
        found = detect_one(detector, scene.image)
        there = {item.category for item in scene.objects}
        for label, written in zip(found.labels, (found.scores[0] > 0).any(dim=0), strict=True):
            said[int(label in there), int(written)] += 1
    return {
        "presence, of categories that are there": _share(int(said[1, 1]), int(said[1].sum())),
        "absence, of categories that are not": _share(int(said[0, 0]), int(said[0].sum())),
    }


def measure(
    detector: OpenVocabularyDetector,
    *,
    seed: int,
    count: int,
    grounder: OpenVocabularyDetector | None = None,
) -> dict[str, str]:
    """All of the above but presence over the scenes of a seed, ready to print.

    Args:
        detector: is asked for categories.
        seed, count: which scenes.
        grounder: is asked for expressions; by default the same detector.
    """
    table = {
        name: f"{value:.3f}"
        for name, value in average_precision(detector, seed=seed, count=count).items()
    }
    for category, flips in context_flips(detector, seed=seed, count=count).items():
        other = WITHOUT_CAUSE[category]
        table[f"{category} called right"] = _share(flips.right, flips.objects)
        table[f"{category} flips to {other}, drawn without"] = _share(
            flips.drawn_without, flips.right
        )
        table[f"{category} flips to {other}, painted over"] = _share(
            flips.painted_over, flips.right
        )
    by_kind = grounding(grounder or detector, seed=seed, count=count)
    right, asked = (sum(column) for column in zip(*by_kind.values(), strict=True))
    table["expressions right"] = _share(right, asked)
    for kind, (right, asked) in by_kind.items():
        table[f"expressions right, {kind}"] = _share(right, asked)
    errors = mistakes(detector, seed=seed, count=count)
    objects = errors.pop("objects")
    for name, number in errors.items():
        table[f"{name}, score from {_SHOWN}"] = f"{number} (of {objects} objects)"
    return {"scenes": f"{count}, seed {seed}", **table}


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part} of {whole})" if whole else "none asked"

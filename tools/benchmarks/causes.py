"""Whether the known cause of a context object is among the regions that suffice."""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from detectors import load
from vps.core.boxes import overlap
from vps.core.detect import detect
from vps.core.detector import Detector
from vps.core.targets import Target
from vps.data.scenes.layouts import CATEGORIES, WITHOUT_CAUSE
from vps.data.scenes.scenes import Scene, SceneObject, make_scene
from vps.engine.attribution import nearest
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.results.explanation import Explanation

_OWN = 0.05  # the share of an object's pixels that a region of its cause may hold


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="demo-grounding-dino")
    parser.add_argument("--objects", type=int, default=40, help="how many (default: 40)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--search", default="greedy")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=950, help="of the scenes (default: 950)")
    parser.add_argument("--share", type=float, default=0.9, help="of the score to reach")


def run(arguments: argparse.Namespace) -> None:
    """Explain context objects called right; print one row a category."""
    detector = load(arguments.detector, labels=CATEGORIES)
    cases = _cases(detector, arguments.seed, arguments.objects)
    rows: dict[str, list[tuple[bool, float, int]]] = {category: [] for category in WITHOUT_CAUSE}
    parted = dict.fromkeys(WITHOUT_CAUSE, 0)
    for scene, item, target in tqdm(cases, total=arguments.objects, disable=None):
        explanation = explain(
            detector,
            scene.image,
            target,
            regions=arguments.regions,
            search=arguments.search,
            batch_size=arguments.batch_size,
        )
        explanation.stopped.raise_again()
        causal = causal_regions(explanation.label_map, item)
        if len(causal):
            rows[item.category].append(_judge(explanation, causal, arguments.share))
        else:
            parted[item.category] += 1
    print(
        f"{detector.name}, about {arguments.regions} regions, {arguments.search}\n"
        f"k: the fewest regions of the order that reach {arguments.share:.0%} of the whole image's "
        "score\n"
        "found: a region of the cause that does not hold the object is among them\n"
        "random: the same for k regions drawn at random\n"
        f"left out, for no region parts cause and object: {parted}"
    )
    print(f"{'category':>9} {'objects':>8} {'mean k':>7} {'found':>7} {'random':>7}")
    for name, results in {**rows, "all": [row for part in rows.values() for row in part]}.items():
        if results:
            hits, chances, sizes = zip(*results, strict=True)
            print(
                f"{name:>9} {len(results):8d} {statistics.mean(sizes):7.1f} "
                f"{statistics.mean(hits):7.2f} {statistics.mean(chances):7.2f}"
            )


def _cases(
    detector: Detector, seed: int, wanted: int
) -> Iterator[tuple[Scene, SceneObject, Target]]:
    """Wheels and buoys that the detector shows with the right label at IoU 0.5."""
    if wanted < 1:
        raise InputError(f"at least one object is needed, got {wanted}")
    count = 0
    for index in range(50 * wanted):
        scene = make_scene(seed, index)
        found = detect(detector, scene.image)
        for item in scene.objects:
            if item.cause is None:
                continue
            for detection in found:
                if detection.label == item.category and overlap(detection.box, item.box) >= 0.5:
                    yield scene, item, Target(detection.box, detection.label)
                    count += 1
                    break
            if count == wanted:
                return
    raise InputError(
        f"{detector.name} calls only {count} context objects right in {50 * wanted} scenes; "
        f"ask for fewer than {wanted}"
    )


def _judge(explanation: Explanation, causal: np.ndarray, share: float) -> tuple[bool, float, int]:
    """Whether the cause is found, the chance of that for k random regions, and k."""
    count, size = len(explanation.order), explanation.smallest_sufficient(share)
    hit = bool(np.isin(explanation.order[:size], causal).any())
    missed = math.comb(count - len(causal), size) / math.comb(count, size)
    return hit, 1 - missed, size


def causal_regions(label_map: np.ndarray, item: SceneObject) -> np.ndarray:
    """The regions that show the cause and not the object: of half cause, and without the object.

    A region that holds both would be found for the object's sake, and say nothing.

    Args:
        label_map: (h, w) the regions on the detector's grid.
        item: an object whose `mask` and `cause` are (H, W) bool on the image.

    Returns:
        (c,) region indices; none where superpixels part cause and object nowhere.
    """
    assert item.cause is not None
    grid = np.ix_(
        *(nearest(*sizes) for sizes in zip(item.mask.shape, label_map.shape, strict=True))
    )
    labels, cause, own = label_map.ravel(), item.cause[grid].ravel(), item.mask[grid].ravel()
    covered = np.bincount(labels, cause) / np.bincount(labels)
    held = np.bincount(labels, own) / max(own.sum(), 1)
    return np.flatnonzero((covered >= 0.5) & (held <= _OWN))

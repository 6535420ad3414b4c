"""Detectors whose answers can be worked out by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from vps.core.candidates import Candidates, TargetScores
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.engine.curve_values import auc
from vps.engine.curves import areas_covered

LABELS = ("cat", "dog", "bird")
TARGET = Target((2.0, 2.0, 10.0, 10.0), "dog")

Answer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From (m,) bool, the regions shown, to boxes (N, 4) and scores (N, L)."""


def photo(height: int = 12, width: int = 16, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8 noise, so that no pixel has the colour of a fill by accident."""
    return np.random.default_rng(seed).integers(1, 255, (height, width, 3), dtype=np.uint8)


class RegionDetector:
    """Sees which regions of one image are shown, and answers by a rule."""

    device = torch.device("cpu")
    name = "rule"
    labels = LABELS

    def __init__(self, image: np.ndarray, regions: Regions, answer: Answer) -> None:
        self.pixels = self.prepare(image)
        self.regions = regions
        self.answer = answer
        self.seen: list[np.ndarray] = []
        self.batches: list[int] = []

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        same = (pixels == self.pixels).all(dim=1).numpy()
        first = [np.argmax(self.regions.label_map.ravel() == r) for r in range(self.regions.count)]
        keeps = same.reshape(len(same), -1)[:, first]
        self.seen.extend(keeps)
        self.batches.append(len(keeps))
        answers = [self.answer(keep) for keep in keeps]
        boxes = torch.tensor(np.stack([boxes for boxes, _ in answers]), dtype=torch.float32)
        scores = torch.tensor(np.stack([scores for _, scores in answers]), dtype=torch.float32)
        return Candidates(boxes, scores, self.labels)


class LikelihoodDetector(RegionDetector):
    """Lists candidates as `RegionDetector` does, but scores targets by a rule of its own.

    `rule` is from (m,) bool, the regions shown, and a target to its class score and IoU.
    """

    def __init__(
        self,
        image: np.ndarray,
        regions: Regions,
        answer: Answer,
        rule: Callable[[np.ndarray, Target], tuple[float, float]],
    ) -> None:
        super().__init__(image, regions, answer)
        self.rule = rule
        self.asked_about: list[Sequence[Target]] = []

    def about(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> LikelihoodDetector:
        assert torch.equal(pixels, self.pixels)
        self.asked_about.append(targets)
        return self

    def score_targets(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> TargetScores:
        self.detect(pixels, size)
        keeps = self.seen[-len(pixels) :]
        rates = torch.tensor([[self.rule(keep, target) for target in targets] for keep in keeps])
        boxes = torch.tensor([[target.box for target in targets] for _ in keeps])
        return TargetScores(rates[..., 0], rates[..., 1], boxes)


def by_score(score: Callable[[np.ndarray], float]) -> Answer:
    """One candidate on the target box, a dog with this score."""

    def answer(keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.array([TARGET.box]), np.array([[0.0, score(keep), 0.0]])

    return answer


def additive(weights: np.ndarray) -> Answer:
    """The score is the sum of the weights shown."""
    return by_score(lambda keep: float(np.dot(weights, keep)))


def constant(score: float) -> Answer:
    """The same score whatever is shown."""
    return by_score(lambda keep: score)


def coverage(covers: np.ndarray) -> Answer:
    """Submodular: the share of (E,) points that the regions shown cover together; (m, E) bool."""
    return by_score(lambda keep: float(covers[keep].any(axis=0).mean()))


def needed_pair(weights: np.ndarray, one: int, other: int) -> Answer:
    """Supermodular: the sum of the weights shown, but nothing unless two regions both are."""
    return by_score(lambda keep: float(np.dot(weights, keep)) * bool(keep[one] and keep[other]))


def noisy(weights: np.ndarray, scale: float = 0.1) -> Answer:
    """The sum of the weights shown plus noise that is always the same for the same subset."""

    def score(keep: np.ndarray) -> float:
        rng = np.random.default_rng(np.packbits(keep).tolist() + [len(keep)])
        return float(np.clip(np.dot(weights, keep) + scale * rng.standard_normal(), 0, 1))

    return by_score(score)


def per_label(weights: np.ndarray) -> Answer:
    """One candidate on the target box with the sum of the weights shown for each label: (m, L)."""
    return lambda keep: (np.array([TARGET.box]), (keep @ weights)[None])


def scattered(candidates: int = 6) -> Answer:
    """Random candidates, always the same for the same subset."""

    def answer(keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(np.packbits(keep).tolist() + [len(keep)])
        corner = rng.uniform(0, 8, (candidates, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(1, 9, (candidates, 2))], axis=1)
        return boxes, rng.random((candidates, len(LABELS)))

    return answer


def strip_detector(answer: Answer, count: int = 6) -> RegionDetector:
    """A detector on a photo cut into `count` runs of pixels, of one size where 192 allows."""
    image = photo()
    area = image.shape[0] * image.shape[1]
    labels = (np.arange(area) * count // area).reshape(image.shape[:2])
    return RegionDetector(image, Regions(labels, "strips"), answer)


def breaking(detector: RegionDetector, errors: Mapping[int, BaseException]) -> RegionDetector:
    """The same detector, but the calls with these numbers, from 0, raise."""
    detect, numbers = detector.detect, itertools.count()

    def detect_or_raise(pixels: Tensor, size: tuple[int, int]) -> Candidates:
        number = next(numbers)
        if number in errors:
            raise errors[number]
        return detect(pixels, size)

    detector.detect = detect_or_raise
    return detector


def worth(objective, order, values) -> float:
    """J, the area under F along an order, from F at its prefixes."""
    return auc(areas_covered(objective.regions.areas, order), values)

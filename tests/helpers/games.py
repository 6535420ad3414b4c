"""Cooperative games of which the answer is known, and detectors that play them for others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tests.helpers.analytic import TARGET, Answer, RegionDetector, photo, strip_detector
from vps.engine.problem import Problem, make_problem

WEIGHTS = np.array([0.05, 0.2, 0.1, 0.3, 0.15, 0.1])
PAIR = (1, 3)


def asked(answer: Answer, count: int = len(WEIGHTS), **settings: object) -> Problem:
    """About the one target of a new detector on strips, with black for what is hidden."""
    detector = strip_detector(answer, count)
    return make_problem(
        detector,
        photo(),
        [TARGET],
        regions=detector.regions,
        **{"fill": "black", **settings},  # type: ignore[arg-type]
    )


def exact_shapley(score: Callable[[np.ndarray], float], count: int) -> np.ndarray:
    """(m,) Shapley values by the definition: all subsets of the other regions."""
    values = np.zeros(count)
    for region in range(count):
        others = [other for other in range(count) if other != region]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1)
            for chosen in itertools.combinations(others, size):
                keep = np.zeros(count, bool)
                keep[list(chosen)] = True
                without = score(keep)
                keep[region] = True
                values[region] += weight / math.factorial(count) * (score(keep) - without)
    return values


def pair_score(keep: np.ndarray) -> float:
    """What `needed_pair(WEIGHTS, *PAIR)` scores."""
    return float(WEIGHTS @ keep) * bool(keep[PAIR[0]] and keep[PAIR[1]])


def score_of_pixels(problem: Problem) -> Callable[[Tensor], Tensor]:
    """The score of the one target as a function of images (B, 3, h, w) -> (B,), as others ask."""

    def score(images: Tensor) -> Tensor:
        detector = problem.detector
        assert isinstance(detector, RegionDetector)
        return detector.detect(images, problem.size).scores[:, 0, 1]

    return score


def feature_mask(problem: Problem) -> Tensor:
    """(1, 1, h, w) int64, the regions as Captum wants them."""
    return torch.from_numpy(problem.regions.label_map.astype(np.int64))[None, None]


def region_values(problem: Problem, attributed: Tensor) -> np.ndarray:
    """(m,) what Captum attributes to each region; all pixels of one have the same."""
    values = attributed[0, 0].numpy().ravel()
    labels = problem.regions.label_map.ravel()
    return np.array([values[labels == region][0] for region in range(problem.regions.count)])


def values_of(method, problem, seed=0, budget=None):
    """(m,) of the first target's regions by a method, and all that it says."""
    found = method.attribute(problem, budget, seed)
    return found.means_of(problem.regions)[0], found

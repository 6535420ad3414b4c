"""Objectives on detectors whose answers can be worked out by hand."""

import numpy as np

from tests.helpers.analytic import TARGET
from vps.core.targets import Target
from vps.engine.objective import Objective
from vps.engine.passes import Passes

WEIGHTS = np.array([0.05, 0.3, 0.1, 0.2, 0.15, 0.12])


def make(detector, target=TARGET, lambdas=(1.0, 1.0), **settings) -> Objective:
    source = Passes(detector, detector.pixels, (12, 16), detector.regions, [target], **settings)
    return Objective(source, lambdas=lambdas)


def subsets(count: int, regions: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, regions)) < 0.5


TARGETS = [TARGET, Target((0, 0, 9, 8), "cat"), Target((5, 1, 16, 12), "bird"), TARGET]


def shared(detector, targets=TARGETS, **settings) -> Passes:
    return Passes(detector, detector.pixels, (12, 16), detector.regions, targets, **settings)

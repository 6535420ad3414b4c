"""A random value for each region: what any method has to beat."""

from __future__ import annotations

import zlib

import numpy as np

from vps.engine.problem import Problem
from vps.methods.protocol import Maps


def random_map(problem: Problem, *, seed: int) -> Maps:
    """A random number in [0, 1) for each region, and with it a random order of the regions.

    Args:
        problem: what is asked.
        seed: of the draws, together with each target's box and label. Superpixels are numbered
            from top to bottom: were the seed alone to decide, all cases of a study would get about
            the same order of places.
    """
    maps = []
    for target in problem.targets:
        key = zlib.crc32(repr((target.box, target.label)).encode())
        values = np.random.default_rng((seed, key)).random(problem.regions.count)
        maps.append(values[problem.regions.label_map])
    return Maps(np.stack(maps).astype(np.float32), passes=0)

"""Sanity checks measured: a method asked again where something has changed, or has not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from vps.core.boxes import overlap
from vps.core.detect import detect
from vps.core.masking import make_fill
from vps.core.random_weights import randomised
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods import Method
from vps.methods.protocol import Attribution, Complete
from vps.methods.values import region_values
from vps.metrics.sanity import completeness_error, inert_evidence, rank_correlation

CASCADE = (0.25, 0.5, 1.0)
"""The shares of the layers, from the output down, that are made random."""

_INERT = 0.2  # of the regions beside the target's box
_APART = 0.1  # the IoU below which another detection is another thing
_TRIES = 4

Values = dict[str, float | None]
"""By check, and by share of the cascade ("randomised 0.25"); None where it does not apply."""


def sanity_values(
    problem: Problem, method: Method, image: np.ndarray, threshold: float, seed: int
) -> Values:
    """All checks of a method on a problem with one target.

    Args:
        problem: what is explained.
        method: with its settings.
        image: (H, W, 3) uint8 RGB, of the problem.
        threshold: above which other detections count.
        seed: of the method's draws, and of the checks'.

    Raises:
        InputError, DetectorError: as the method raises.
    """
    found = _attributed(problem, method, seed)
    own = region_values(problem, found)[0]

    def like(other: Problem, its_seed: int = seed) -> float:
        return rank_correlation(own, _values(other, method, its_seed))

    values: Values = {"completeness": _completeness(problem, method, found)}
    for share in CASCADE:
        name = "randomised" if share == 1 else f"randomised {share:g}"
        values[name] = _or_none(partial(_randomised, problem, like, share, seed))
    values["inert"] = _inert(problem, method, seed)
    other = _other_target(problem, image, threshold)
    values["other target"] = None if other is None else like(problem.about([other]))
    values["seeds"] = like(problem, seed + 1)
    return values


def _or_none(measure: Callable[[], float]) -> float | None:
    """None where a check does not apply to a detector."""
    try:
        return measure()
    except InputError:
        return None


def _attributed(problem: Problem, method: Method, seed: int) -> Attribution:
    found = method.attribute(problem, Budget().started(), seed)
    found.stopped.raise_again(found.error)
    return found


def _values(problem: Problem, method: Method, seed: int) -> np.ndarray:
    values: np.ndarray = region_values(problem, _attributed(problem, method, seed))[0]
    return values


def _randomised(
    problem: Problem, like: Callable[[Problem], float], share: float, seed: int
) -> float:
    with randomised(problem.whole_detector, share, seed) as other:
        return like(problem.of(other))


def _completeness(problem: Problem, method: Method, found: Attribution) -> float | None:
    """What the map's sum misses, for methods that promise it."""
    promised = getattr(method, "complete", None)
    if promised is None or found.maps is None:
        return None
    ends = np.array([[True], [False]]).repeat(problem.regions.count, axis=1)
    image, fill = problem.passes().evaluate(ends).score[:, 0]
    if promised is Complete.PIXELS:
        total = float(found.maps[0].astype(np.float64).sum())
    else:
        total = float(found.means_of(problem.regions)[0].sum())
    return completeness_error(total, float(image - fill))


def _inert(problem: Problem, method: Method, seed: int) -> float | None:
    """Evidence in regions that were painted with the fill; None where painting loses the target.

    A blur is a fill that depends on what it hides: there is nothing to paint.
    """
    fill = make_fill(problem.fill, problem.pixels)
    if fill.shape[1:] != (1, 1):
        return None
    red, green, blue = fill[:, 0, 0].tolist()
    labels = problem.regions.label_map
    free = np.setdiff1d(np.arange(problem.regions.count), labels[_box_on_grid(problem)])
    if not len(free):
        return None
    rng = np.random.default_rng(seed)
    whole = np.ones((1, problem.regions.count), bool)
    before = float(problem.passes().evaluate(whole).score[0, 0])
    for _ in range(_TRIES):
        chosen = rng.choice(free, max(1, round(_INERT * len(free))), replace=False)
        hidden = torch.from_numpy(np.isin(labels, chosen)).to(fill.device)
        painted = dataclasses.replace(
            problem.varied(fill=(red, green, blue)),
            pixels=torch.where(hidden, fill, problem.pixels),
        )
        if float(painted.passes().evaluate(whole).score[0, 0]) >= before / 2 > 0:
            inert = np.isin(np.arange(problem.regions.count), chosen)
            found = _attributed(painted, method, seed)
            values = region_values(painted, found)[0]
            if found.orders is not None:
                values = values - values.min()  # An order has no zero: its last matters least.
            return inert_evidence(values, inert, labels)
    return None


def _box_on_grid(problem: Problem) -> tuple[slice, slice]:
    """Rows and columns of the grid that the target's box touches."""
    x1, y1, x2, y2 = problem.targets[0].box
    height, width = problem.pixels.shape[1:]
    down, across = height / problem.size[0], width / problem.size[1]
    return (
        slice(int(y1 * down), int(np.ceil(y2 * down))),
        slice(int(x1 * across), int(np.ceil(x2 * across))),
    )


def _other_target(problem: Problem, image: np.ndarray, threshold: float) -> Target | None:
    """The highest detection that is another thing; None where there is none."""
    target = problem.targets[0]
    for one in detect(problem.whole_detector, image, threshold):
        if overlap(one.box, target.box) < _APART:
            return Target(one.box, one.label)
    return None

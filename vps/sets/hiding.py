"""In which order to hide regions so that a failure goes away, and what it then took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vps.core.targets import Kind
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.sets.goals import Goal

BESIDE = 0.05
"""A region of which no more than this share lies in a box is beside it."""


def repair_orders(problem: Problem, orders: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Orders in which to hide regions so that a failure goes away, likely ones first.

    Args:
        problem: of the failure: its target, and the rival where there is one.
        orders: (m,) of each target, those that make it first.

    Returns:
        (m,) each: what speaks for the rival, or for a false box itself, first; what speaks least
        for a missed target, and what lies around it.
    """
    kind = problem.targets[0].kind
    if kind is Kind.MISSED:
        return [orders[0][::-1], _around(problem)]
    if kind.traits.rival:
        return [orders[1], orders[0][::-1]]
    return [orders[0], *(order[::-1] for order in orders[1:])]


def map_order(problem: Problem, means: Sequence[np.ndarray]) -> np.ndarray:
    """The order in which maps would hide regions so that a failure goes away.

        missed                         the least important for the target first
        classification, localisation,
        both, grounded_wrong           the most important for the rival, less that for the target
        background, duplicate          the most important for the target first

    Args:
        problem: of the failure.
        means: (m,) of each target, the mean of its map over each region.

    Returns:
        (m,); ties by region index.
    """
    kind = problem.targets[0].kind
    if kind is Kind.MISSED:
        return np.argsort(means[0], kind="stable")
    worth = means[1] - means[0] if kind.traits.rival else means[0]
    return np.argsort(-worth, kind="stable")


def least_hidden(source: Passes, goal: Goal, apart: np.ndarray | None = None) -> np.ndarray | None:
    """Members (m,) bool of what covers least of all that was hidden and attains the goal.

    Args:
        source: has hidden subsets of the m regions.
        goal: of the hiding.
        apart: (m,) bool, regions that must not be among them.
    """
    hidden = ~source.subsets[goal(source.seen)[0]]
    if apart is not None:
        hidden = hidden[~hidden[:, apart].any(axis=1)]
    if not len(hidden):
        return None
    least: np.ndarray = hidden[np.argmin(hidden @ source.regions.areas)]
    return least


def touches(problem: Problem) -> np.ndarray:
    """(m,) bool: the regions of which more than `BESIDE` lies in the first target's box."""
    touching: np.ndarray = share_inside(problem) > BESIDE
    return touching


def share_inside(problem: Problem) -> np.ndarray:
    """(m,) the share of each region's pixels that lies in the first target's box."""
    labels = problem.regions.label_map.ravel()
    return np.bincount(labels, _outside(problem).ravel() == 0) / np.bincount(labels)


def _around(problem: Problem) -> np.ndarray:
    """Regions outside the target's box, the nearest first, and then those in it."""
    labels = problem.regions.label_map.ravel()
    distance = np.bincount(labels, _outside(problem).ravel()) / np.bincount(labels)
    return np.lexsort((distance, np.where(touches(problem), share_inside(problem), 0)))


def _outside(problem: Problem) -> np.ndarray:
    """(h, w) how far each pixel of the grid lies outside the first target's box, in pixels."""
    height, width = problem.regions.label_map.shape
    scale = np.array([width, height, width, height]) / np.tile(problem.size[::-1], 2)
    x1, y1, x2, y2 = np.array(problem.targets[0].box) * scale
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    across = np.maximum(np.maximum(x1 - x, x - x2), 0)
    down = np.maximum(np.maximum(y1 - y, y - y2), 0)
    away: np.ndarray = np.hypot(across, down)
    return away

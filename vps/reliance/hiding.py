"""What a detection loses when other objects are hidden, and when as much is hidden elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import fft

from vps.core.regions import Regions
from vps.core.scoring import BestCandidates
from vps.engine.problem import Problem

_OVERLAP = 0.1  # of a shape, that may lie on itself or on the object after its shift
_NEAREST = 0.05  # of the shifts that are possible, those among which some are drawn


def moved_elsewhere(
    mask: np.ndarray,
    avoid: np.ndarray,
    distance: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """The same shape in other places of the grid, about as far from a box as it is.

    It is shifted as a whole, and what leaves the grid on one side comes in on the other, so that
    its area stays the same. A shift may put at most a tenth of it onto its old place, and no more
    of it onto what is to be avoided than a tenth or than lay there before. Of those, the twentieth
    with the most similar mean distance is drawn from.

    Args:
        mask: (h, w) bool, the shape.
        avoid: (h, w) bool, what is not to be hidden.
        distance: (h, w), from the box (`vps.reliance.evidence.distance_from`).
        count: how many places are wanted.
        rng: draws them.

    Returns:
        (h, w) bool each, at most `count`; none where the shape is too large to go anywhere.

    >>> row = np.array([[True, False, False, False]])
    >>> far = np.array([[1.0, 0.0, 1.0, 2.0]])
    >>> found = moved_elsewhere(row, ~row & (far == 0), far, 1, np.random.default_rng(0))
    >>> found[0].tolist()
    [[False, False, True, False]]
    """
    area = np.count_nonzero(mask)
    if not area:
        return []
    spectrum = np.conj(fft.rfft2(mask.astype(np.float64)))

    def under(values: np.ndarray) -> np.ndarray:
        """The sum of values under the shape for each shift of it, (h, w)."""
        summed: np.ndarray = fft.irfft2(spectrum * fft.rfft2(values.astype(float)), s=mask.shape)
        return summed

    # Fourier transforms round.
    slack = _OVERLAP * area + 0.5
    hits = under(avoid)
    fits = (under(mask) <= slack) & (hits <= max(slack, hits[0, 0] + 0.5))
    places = np.argwhere(fits)
    if not len(places):
        return []
    apart = under(distance)
    unlike = np.abs(apart - apart[0, 0])[fits].round(6)
    near = np.argsort(unlike, kind="stable")[: max(count, int(_NEAREST * len(places)))]
    chosen = rng.choice(near, size=min(count, len(near)), replace=False)
    return [np.roll(mask, tuple(places[place]), axis=(0, 1)) for place in chosen]


def seen_with(problem: Problem, hidden: Sequence[np.ndarray]) -> BestCandidates[np.ndarray]:
    """What the detector says of a problem's targets when some pixels are hidden, a pass each.

    Args:
        problem: its regions do not matter.
        hidden: K of (h, w) bool on the detector's grid.

    Returns:
        (K, T).

    Raises:
        DetectorError: the detector fails or breaks its contract.
    """
    stack = np.stack(hidden)
    # Pixels that are hidden together in all of them are one region.
    labels = np.zeros(stack.shape[1:], np.int64)
    for mask in stack:
        _, labels = np.unique(2 * labels.ravel() + mask.ravel(), return_inverse=True)
    first = np.unique(labels, return_index=True)[1]
    regions = Regions(labels.reshape(stack.shape[1:]), "masks")
    shown = ~stack.reshape(len(stack), -1)[:, first]
    return dataclasses.replace(problem, regions=regions).passes().evaluate(shown)

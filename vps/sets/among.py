"""The search for a smallest set among some of the regions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vps.engine.budget import Budget
from vps.sets.smallest import SmallestSet, SubsetSource, smallest_set


def smallest_set_among(
    source: SubsetSource[Any],
    goal: Callable[[Any], tuple[np.ndarray, np.ndarray]],
    orders: Sequence[np.ndarray],
    among: np.ndarray,
    *,
    hide: bool,
    budget: Budget,
) -> SmallestSet:
    """`vps.sets.smallest.smallest_set` with no other regions in the set than some.

    Args:
        source, goal, orders, hide, budget: as there; orders are of all regions.
        among: (n,) int, indices of the regions that the set may have.

    Returns:
        The set, by the indices of the source; `exact` is said of sets of these regions.
    """
    place = np.full(source.count, -1)
    place[among] = np.arange(len(among))
    shorter = [place[order][place[order] >= 0] for order in orders]
    part = _PartOfSource(source, among, rest_shown=hide)
    found = smallest_set(part, goal, shorter, hide=hide, budget=budget)
    if found.regions is None:
        return found
    return dataclasses.replace(found, regions=np.sort(among[found.regions]))


class _PartOfSource(SubsetSource[Any]):
    """Subsets of some regions of a source; the rest is shown, or hidden, throughout."""

    def __init__(self, source: SubsetSource[Any], among: np.ndarray, *, rest_shown: bool) -> None:
        self._source, self._among, self._rest_shown = source, among, rest_shown
        self.count, self.batch_size = len(among), source.batch_size

    @property
    def passes(self) -> int:
        return self._source.passes

    @property
    def subsets(self) -> np.ndarray:
        return self._source.subsets[self._ours()][:, self._among]

    @property
    def seen(self) -> Any:
        return self._source.seen[self._ours()]

    def new(self, keep: np.ndarray) -> np.ndarray:
        return self._source.new(self._whole(keep))

    def show(self, keep: np.ndarray, budget: Budget) -> None:
        self._source.show(self._whole(keep), budget)

    def evaluate(self, keep: np.ndarray) -> Any:
        return self._source.evaluate(self._whole(keep))

    def _whole(self, keep: np.ndarray) -> np.ndarray:
        whole = np.full((len(keep), self._source.count), self._rest_shown)
        whole[:, self._among] = keep
        return whole

    def _ours(self) -> np.ndarray:
        """(k,) bool: which of the source's subsets have the rest as it is here."""
        rest = np.delete(self._source.subsets, self._among, axis=1)
        ours: np.ndarray = (rest == self._rest_shown).all(axis=1)
        return ours

"""Subsets of regions under several fills: a set that holds does the same under all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vps.core.masking import FILLS, check_fill
from vps.engine.budget import Budget
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.sets.goals import Goal


def fill_sources(problem: Problem, source: Passes) -> dict[str, Passes]:
    """What shows subsets under each of `vps.core.masking.FILLS`, by its name.

    Args:
        problem: whose own fill comes first.
        source: what shows its subsets under that.
    """
    own = check_fill(problem.fill)
    others = (fill for fill in FILLS if fill != own)
    return {own: source} | {fill: problem.varied(fill=fill).passes() for fill in others}


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Of K subsets, whether a goal is attained under all fills, and how near they come.

    Attributes:
        attained: (K,) bool.
        nearness: (K,) float64, the number of fills under which the goal is attained, one after the
            other, and in [0, 1] how near it comes under the next.
    """

    attained: np.ndarray
    nearness: np.ndarray

    def __getitem__(self, index: Any) -> Verdicts:
        return Verdicts(self.attained[index], self.nearness[index])

    @staticmethod
    def goal(verdicts: Verdicts) -> tuple[np.ndarray, np.ndarray]:
        """What `vps.sets.smallest.smallest_set` asks of them."""
        return verdicts.attained, verdicts.nearness


class AcrossFills:
    """A source for `vps.sets.smallest.smallest_set` whose subsets are judged under several fills.

    Under a further fill a subset is shown only where it attains the goal under those before, so
    that most subsets take one pass, and none where the first source has seen them.

    Args:
        sources: one a fill, of the same regions and targets.
        goal: what is to be attained under each; its nearness is in [-1, 1].
    """

    def __init__(self, sources: Sequence[Passes], goal: Goal) -> None:
        self._sources, self._goal = sources, goal
        self.count, self.batch_size = sources[0].count, sources[0].batch_size

    @property
    def passes(self) -> int:
        return sum(source.passes for source in self._sources)

    @property
    def subsets(self) -> np.ndarray:
        return self._sources[0].subsets

    @property
    def seen(self) -> Verdicts:
        """Of `subsets`; what was not shown under a fill does not attain the goal under it."""
        return self._judged(self.subsets, known=True)

    def new(self, keep: np.ndarray) -> np.ndarray:
        """(K,) bool: which subsets need a pass at least."""
        open_, new = np.ones(len(keep), bool), np.zeros(len(keep), bool)
        for source in self._sources:
            new |= open_ & source.new(keep)
            open_ &= source.known(keep)
            open_[open_] = self._goal(source.evaluate(keep[open_]))[0]
        return new

    def show(self, keep: np.ndarray, budget: Budget) -> None:
        for source in self._sources:
            source.show(keep, budget)
            keep = keep[self._goal(source.evaluate(keep))[0]]

    def evaluate(self, keep: np.ndarray) -> Verdicts:
        return self._judged(keep, known=False)

    def _judged(self, keep: np.ndarray, *, known: bool) -> Verdicts:
        attained, nearness = np.ones(len(keep), bool), np.zeros(len(keep))
        for held, source in enumerate(self._sources):
            if known:
                attained &= source.known(keep)
            rows = np.flatnonzero(attained)
            attained[rows], near = self._goal(source.evaluate(keep[rows]))
            nearness[rows] = held + attained[rows] + np.where(attained[rows], 0, (near + 1) / 2)
        return Verdicts(attained, nearness)

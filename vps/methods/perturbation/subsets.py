"""Subsets of regions shown one after the other, as far as a budget goes, and maps made of them."""

from __future__ import annotations

import numpy as np

from vps.engine.budget import Budget, Progress, Stopped, StopReason, ending
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
from vps.methods.protocol import Attribution


class ShownSubsets:
    """What methods share that show subsets of regions and work out one value a region.

    Args:
        problem: what is asked.
        method: the name of who asks, for errors.
        budget: what it may cost.
        wanted: the most passes that the method would take.
        least: how many it cannot do without.
        why: what they are for, as a part of an error.

    Attributes:
        source: what shows the subsets; none passes twice.
        stopped: why no more are shown.
        error: what the detector failed with.

    Raises:
        InputError: fewer passes than the least.
    """

    def __init__(
        self,
        problem: Problem,
        method: str,
        budget: Budget | None,
        *,
        wanted: int,
        least: int,
        why: str,
    ) -> None:
        self._budget = (budget or Budget()).started()
        allowed = self._budget.passes
        self._limit = wanted if allowed is None else min(allowed, wanted)
        self._told = None if allowed is None else self._limit
        if self._limit < least:
            raise InputError(
                f"{self._limit} passes are too few for {method}: it takes {least} at least, {why}"
            )
        self._label_map = problem.regions.label_map
        self.source = problem.passes()
        self.stopped = StopReason.FINISHED
        self.error: DetectorError | None = None

    @property
    def left(self) -> int:
        """How many passes may still be made; none once something has ended it."""
        return 0 if self.stopped.early else max(self._limit - self.source.passes, 0)

    def show(self, keep: np.ndarray, least: int = 1) -> int:
        """Show subsets in turn, until the passes are spent or something ends it.

        Args:
            keep: (K, m) bool, the most telling first; one that has passed costs nothing.
            least: how many of the first are needed for there to be anything to answer.

        Returns:
            How many of the first are known.

        Raises:
            DetectorError, Stopped, KeyboardInterrupt: before the least were known.
        """
        new = self.source.new(keep)
        known = int(np.searchsorted(np.cumsum(new), self.left, side="right"))
        if known < len(keep) and not self.stopped.early:
            self.stopped = StopReason.BUDGET
        rows = np.flatnonzero(new[:known])
        # Time goes by also where all are known.
        for start in range(0, max(len(rows), not self.stopped.early), self.source.batch_size):
            batch = rows[start : start + self.source.batch_size]
            try:
                self._budget.check(len(batch))
                self.source.evaluate(keep[batch])
            except (Stopped, DetectorError, KeyboardInterrupt) as reason:
                known = int(batch[0]) if len(batch) else known
                if known < least:
                    raise
                self.stopped, self.error = ending(reason)
                break
            self._budget.report(Progress(self.source.passes))
        return known

    def scores(self, keep: np.ndarray) -> np.ndarray:
        """(K, T) float64 s of subsets (K, m) that are known."""
        scores: np.ndarray = self.source.evaluate(keep).score
        return scores

    def attribution(self, values: np.ndarray) -> Attribution:
        """Maps of one value a region.

        Args:
            values: (T, m); NaN where nothing is known of a region: it gets the mean of the others,
                which puts it neither first nor last.
        """
        unknown = np.isnan(values)
        if unknown.any():
            values = np.where(unknown, np.nanmean(values, axis=1, keepdims=True), values)
        return Attribution(
            self.source.passes,
            values[:, self._label_map].astype(np.float32),
            stopped=self.stopped,
            error=self.error,
            source=self.source,
            limit=self._told,
        )

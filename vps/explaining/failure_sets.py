"""The sets of regions that a kind of failure asks for, and where they are looked for first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vps.core.boxes import overlap
from vps.core.detector import WordHider
from vps.core.masking import FILLS, check_fill
from vps.core.scoring import CLASS_MODE_IOU
from vps.core.targets import Kind
from vps.engine.budget import Budget, Stopped, StopReason
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError
from vps.explaining.words import explain_words
from vps.results.answer import RegionSet
from vps.results.explanation import Explanation
from vps.results.word_answer import WordAnswer
from vps.sets.among import smallest_set_among
from vps.sets.goals import Goal, repaired, seen, unseen, wins
from vps.sets.hiding import BESIDE, holds_under, repair_orders, share_inside
from vps.sets.smallest import smallest_set


class FailureSets:
    """The searches for sets that a kind asks for, on what the searches of the orders have seen.

    Args:
        problem: of the failure.
        source: what has seen subsets of it.
        explanations: of its targets.
        threshold: the lowest class score of a detection.
        budget: its passes are for each of the sets.

    Attributes:
        stopped: FINISHED, or what ended a search before its time; no other begins after that.
        error: what the detector failed with.
        word_passes: that the words took.
        fill_passes: that it took to see whether repairs hold under other fills.
    """

    def __init__(
        self,
        problem: Problem,
        source: Passes,
        explanations: Sequence[Explanation],
        threshold: float,
        budget: Budget,
    ) -> None:
        self._problem, self._source = problem, source
        self._explanations = explanations
        self._threshold, self._budget = threshold, budget
        stopped = explanations[0].stopped
        self.stopped = stopped if stopped.at_once else StopReason.FINISHED
        self.error: DetectorError | None = None
        self.word_passes = self.fill_passes = 0

    def sets(self) -> dict[str, RegionSet | None]:
        """The sets of the answer, by the name of its field."""
        targets = self._problem.targets
        kind, at = targets[0].kind, self._threshold
        orders = [explanation.order for explanation in self._explanations]
        away = repair_orders(self._problem, orders)
        if kind.traits.rival:
            order, other = orders
            return {
                "repair": self._repair(away),
                "sufficient": self._find(wins(0, 1, at), [order, other[::-1]], hide=False),
                "rival_sufficient": self._find(wins(1, 0, at), [other, order[::-1]], hide=False),
            }
        sets: dict[str, RegionSet | None] = {}
        if kind is Kind.MISSED or len(targets) > 1:
            sets["repair"] = self._repair(away)
        if kind is Kind.MISSED:
            sets["best"] = self._best_step()
        else:
            sets["necessary"] = self._find(unseen(0, at), orders[:1], hide=True)
        if kind.traits.false_box and len(targets) == 1:
            sets["repair"] = self._under_fills(sets["necessary"])
        sets["sufficient"] = self._find(seen(0, at), orders[:1], hide=False)
        return sets

    def words(self) -> WordAnswer | None:
        """Which words matter, of a phrase."""
        detector, target = self._problem.detector, self._problem.targets[0]
        phrase = target.kind.traits.phrase or target.kind is Kind.CORRECT
        if not (phrase and isinstance(detector, WordHider) and self.stopped is StopReason.FINISHED):
            return None
        try:
            # Its passes are counted anew: they would take a progress bar back.
            budget = dataclasses.replace(self._budget, progress=None)
            words = explain_words(self._problem, threshold=self._threshold, budget=budget)
        except KeyboardInterrupt:
            self.stopped = StopReason.INTERRUPTED
        except DetectorError as error:
            self.stopped, self.error = StopReason.FAILED, error
        else:
            if words is None:
                return None
            self.stopped, self.word_passes = words.stopped, words.passes
            # Of another box, the words would not tell about this one.
            about = overlap(words.said, self._problem.targets[-1].box) > CLASS_MODE_IOU
            return words if about else None
        return None

    def best_score(self) -> float:
        """The highest class score with IoU > 0.5 of any subset seen."""
        return float(self._source.seen.found_score[:, 0].max(initial=0))

    def before(self) -> RegionSet:
        """What is said of the whole image."""
        return self._described(np.empty(0, np.int64), hide=True)

    def _repair(self, orders: Sequence[np.ndarray]) -> RegionSet | None:
        """What to hide; of an object that is missed, what lies beside it, if that is enough."""
        goal = repaired(self._problem.targets, self._threshold)
        if self._problem.targets[0].kind is not Kind.MISSED:
            return self._under_fills(self._find(goal, orders, hide=True))
        inside, areas = share_inside(self._problem), self._problem.regions.areas
        beside = np.flatnonzero(inside <= BESIDE)
        found = self._find(goal, orders, hide=True, among=beside) if len(beside) else None
        if found is None:
            found = self._find(goal, orders, hide=True)
        members = [] if found is None else list(found.regions)
        if found is not None and (inside[members] > BESIDE).any():
            share = float(inside[members] @ areas[members] / areas[members].sum())
            found = dataclasses.replace(found, inside=share)
        return self._under_fills(found)

    def _under_fills(self, found: RegionSet | None) -> RegionSet | None:
        """The same set, with whether it does the same under other fills; a pass each."""
        if found is None or not found.regions or self.stopped is not StopReason.FINISHED:
            return found
        goal = repaired(self._problem.targets, self._threshold)
        shown = self._shown(found.regions, hide=True)
        held = {check_fill(self._problem.fill): True}
        try:
            for fill in FILLS:
                if fill not in held:
                    self._budget.check()
                    held[fill] = holds_under(self._problem, fill, goal, shown)
                    self.fill_passes += 1
        except Stopped as stop:
            self.stopped = stop.reason
        except KeyboardInterrupt:
            self.stopped = StopReason.INTERRUPTED
        except DetectorError as error:
            self.stopped, self.error = StopReason.FAILED, error
        return dataclasses.replace(found, fills=held)

    def _find(
        self,
        goal: Goal,
        orders: Sequence[np.ndarray],
        *,
        hide: bool,
        among: np.ndarray | None = None,
    ) -> RegionSet | None:
        """The smallest set; of `among` alone, region indices, where they are given."""
        # After a stop, what has been seen still tells a set, though no pass makes it smaller.
        budget = self._budget if self.stopped is StopReason.FINISHED else self._budget.over()
        if among is None:
            found = smallest_set(self._source, goal, orders, hide=hide, budget=budget)
        else:
            found = smallest_set_among(self._source, goal, orders, among, hide=hide, budget=budget)
        if self.stopped is StopReason.FINISHED and found.stopped is not StopReason.BUDGET:
            self.stopped, self.error = found.stopped, found.error
        if found.regions is None:
            return None
        return self._described(found.regions, hide, exact=found.exact, passes=found.passes)

    def _described(
        self, regions: np.ndarray, hide: bool, *, exact: bool = False, passes: int = 0
    ) -> RegionSet:
        best = self._source.evaluate(self._shown(regions, hide))[0]
        target = best[0]
        x1, y1, x2, y2 = target.box.tolist()
        u1, v1, u2, v2 = target.found_box.tolist()
        other = int(target.other_label)
        return RegionSet(
            regions=tuple(int(region) for region in regions),
            area=float(self._problem.regions.areas[regions].sum()),
            hidden=hide,
            score=float(target.score),
            class_score=float(target.class_score),
            iou=float(target.iou),
            box=(x1, y1, x2, y2),
            found_score=float(target.found_score),
            rival_score=float(best[1].score) if len(best) > 1 else None,
            exact=exact,
            passes=passes,
            found_iou=float(target.found_iou),
            found_box=(u1, v1, u2, v2),
            other_score=float(target.other_score),
            other_label=None if other < 0 else self._problem.detector.labels[other],
            rival_found=float(best[1].found_score) if len(best) > 1 else None,
        )

    def _shown(self, regions: Sequence[int] | np.ndarray, hide: bool) -> np.ndarray:
        """(1, m) bool, the subset in which a set is hidden, or else shown alone."""
        shown = np.full((1, self._problem.regions.count), hide)
        shown[0, list(regions)] = not hide
        return shown

    def _best_step(self) -> RegionSet | None:
        """The prefix of the path with the highest class score at the IoU, as in the paper."""
        order = self._explanations[0].order
        shown = prefixes(order)
        steps = np.flatnonzero(self._source.known(shown))
        scores = self._source.evaluate(shown[steps])[:, 0].found_score
        if not scores.max() > 0:
            return None
        step = steps[np.argmax(scores)]
        return self._described(np.sort(order[:step]), hide=False)

"""The sets of regions that a kind of failure asks for, and where they are looked for first."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vps.core.boxes import overlap
from vps.core.detector import WordHider
from vps.core.scoring import CLASS_MODE_IOU
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget, Progress, Stopped, StopReason
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError
from vps.explaining.tracing import Traced
from vps.explaining.words import explain_words
from vps.results.answer import RegionSet
from vps.results.explanation import Explanation
from vps.results.word_answer import WordAnswer
from vps.sets.across import AcrossFills, Verdicts, fill_sources
from vps.sets.among import smallest_set_among
from vps.sets.goals import repaired, seen, unseen, wins
from vps.sets.hiding import BESIDE, repair_orders, share_inside
from vps.sets.smallest import SubsetSource, smallest_set


def most_searches(targets: Sequence[Target]) -> int:
    """How many sets are looked for at the most, for a target and its rival where it has one."""
    kind = targets[0].kind
    if kind is Kind.MISSED:
        # What to hide beside the object, or anywhere, each under all fills if need be.
        return 5
    if kind.traits.rival or len(targets) > 1:
        return 4
    return 3 if kind.traits.false_box else 2


class FailureSets:
    """The searches for sets that a kind asks for, on what the searches of the orders have seen.

    Args:
        problem: of the failure.
        source: what has seen subsets of it.
        explanations: of its targets.
        threshold: the lowest class score of a detection.
        set_passes: about the most for each of the sets.
        budget: of all together, with what the orders took.

    Attributes:
        stopped: FINISHED, or what ended a search before its time; no other begins after that.
        error: what the detector failed with.
    """

    def __init__(
        self,
        problem: Problem,
        traced: Traced,
        explanations: Sequence[Explanation],
        threshold: float,
        set_passes: int,
        budget: Budget,
    ) -> None:
        self._problem, self._traced, self._source = problem, traced, traced.source
        self._explanations = explanations
        self._threshold, self._set_passes = threshold, set_passes
        self._most = budget.passes
        self._tell = budget.progress
        left = None if budget.passes is None else self._left
        self._budget = dataclasses.replace(
            budget, progress=None if self._tell is None else self._report, left=left
        )
        stopped = explanations[0].stopped
        self.stopped = stopped if stopped.at_once else StopReason.FINISHED
        self.error: DetectorError | None = None
        self._word_passes = 0
        self._fills: dict[str, Passes] = {}  # made where a repair is tried under them
        self._goal = repaired(problem.targets, threshold)

    @property
    def passes(self) -> int:
        """All that were made, those for the orders among them."""
        others = sum(other.passes for other in self._fills.values() if other is not self._source)
        return self._traced.all_passes + others + self._word_passes

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
            sets["repair"] = self._holding(sets["necessary"], away)
        sets["sufficient"] = self._find(seen(0, at), orders[:1], hide=False)
        return sets

    def words(self) -> WordAnswer | None:
        """Which words matter, of a phrase."""
        detector, target = self._problem.detector, self._problem.targets[0]
        phrase = target.kind.traits.phrase or target.kind is Kind.CORRECT
        if not (phrase and isinstance(detector, WordHider) and self.stopped is StopReason.FINISHED):
            return None
        # Each word is hidden alone in any case, and the whole phrase is asked for.
        if self._left() <= len(detector.words(target.label)):
            self.stopped = StopReason.BUDGET
            return None
        budget = dataclasses.replace(self._budget, passes=self._set_passes, progress=self._count)
        try:
            words = explain_words(self._problem, threshold=self._threshold, budget=budget)
        except KeyboardInterrupt:
            self.stopped = StopReason.INTERRUPTED
        except DetectorError as error:
            self.stopped, self.error = StopReason.FAILED, error
        else:
            if words is None:
                return None
            self.stopped, self._word_passes = words.stopped, words.passes
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
        if self._problem.targets[0].kind is not Kind.MISSED:
            return self._holding(self._find(self._goal, orders, hide=True), orders)
        inside, areas = share_inside(self._problem), self._problem.regions.areas
        found, beside = None, np.flatnonzero(inside <= BESIDE)
        if len(beside):
            found = self._find(self._goal, orders, hide=True, among=beside)
            found = self._holding(found, orders, among=beside)
        if found is None:
            found = self._holding(self._find(self._goal, orders, hide=True), orders)
        members = [] if found is None else list(found.regions)
        if found is not None and (inside[members] > BESIDE).any():
            share = float(inside[members] @ areas[members] / areas[members].sum())
            found = dataclasses.replace(found, inside=share)
        return found

    def _holding(
        self,
        found: RegionSet | None,
        orders: Sequence[np.ndarray],
        *,
        among: np.ndarray | None = None,
    ) -> RegionSet | None:
        """A repair that holds under all fills, if one is found; else the one that was.

        The one that was found under the problem's fill is tried under the others, a pass each.
        Where it fails, another is looked for that attains the goal under all of them.
        """
        if found is None or not found.regions or self.stopped is not StopReason.FINISHED:
            return found
        self._fills = self._fills or fill_sources(self._problem, self._source)
        shown, held = self._shown(found.regions, hide=True), {}
        try:
            for fill, source in self._fills.items():
                source.show(shown, self._budget)
                held[fill] = bool(self._goal(source.evaluate(shown))[0][0])
        except Stopped as stop:
            self.stopped = stop.reason
        except KeyboardInterrupt:
            self.stopped = StopReason.INTERRUPTED
        except DetectorError as error:
            self.stopped, self.error = StopReason.FAILED, error
        found = dataclasses.replace(found, fills=held)
        if found.holds() or self.stopped is not StopReason.FINISHED:
            return found
        sources = list(self._fills.values())
        across = AcrossFills(sources, self._goal)
        other = self._find(Verdicts.goal, orders, hide=True, among=among, source=across)
        return (
            found if other is None else dataclasses.replace(other, fills=dict.fromkeys(held, True))
        )

    def _find(
        self,
        goal: Callable[[Any], tuple[np.ndarray, np.ndarray]],
        orders: Sequence[np.ndarray],
        *,
        hide: bool,
        among: np.ndarray | None = None,
        source: SubsetSource[Any] | None = None,
    ) -> RegionSet | None:
        """The smallest set; of `among` alone, region indices, where they are given."""
        source = self._source if source is None else source
        # Of what is left, half: others are still to be looked for.
        budget = self._budget.within(min(self._set_passes, self._left() // 2))
        if self.stopped is not StopReason.FINISHED:
            # What has been seen still tells a set, though no pass makes it smaller.
            budget = budget.over()
        if among is None:
            found = smallest_set(source, goal, orders, hide=hide, budget=budget)
        else:
            found = smallest_set_among(source, goal, orders, among, hide=hide, budget=budget)
        if self.stopped is StopReason.FINISHED:
            if found.stopped is not StopReason.BUDGET:
                self.stopped, self.error = found.stopped, found.error
            elif self._left() < self._source.batch_size:
                self.stopped = StopReason.BUDGET
        if found.regions is None:
            return None
        return self._described(found.regions, hide, exact=found.exact, passes=found.passes)

    def _left(self) -> int:
        """Passes that may still be made."""
        return sys.maxsize if self._most is None else self._most - self.passes

    def _report(self, progress: Progress) -> None:
        """Tell how far all is, where a source only knows of its own passes."""
        assert self._tell is not None
        self._tell(progress._replace(passes=self.passes))

    def _count(self, progress: Progress) -> None:
        self._word_passes = progress.passes
        if self._tell is not None:
            self._report(progress)

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

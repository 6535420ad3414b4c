"""The sets of regions that a kind of failure asks for, and where they are looked for first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vps.core.boxes import overlap
from vps.core.detector import WordHider
from vps.core.scoring import CLASS_MODE_IOU
from vps.core.targets import Kind
from vps.engine.budget import StopReason
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError
from vps.explaining.words import explain_words
from vps.results.answer import RegionSet
from vps.results.explanation import Explanation
from vps.results.word_answer import WordAnswer
from vps.search.driver import SearchProgress
from vps.sets.goals import CONTRASTS, FALSE, Goal, repaired, seen, unseen, wins
from vps.sets.smallest import smallest_set


class FailureSets:
    """The searches for sets that a kind asks for, on what the searches of the orders have seen.

    Attributes:
        stopped: FINISHED, or what ended a search before its time; no other begins after that.
        error: what the detector failed with.
        word_passes: that the words took.
    """

    def __init__(
        self,
        problem: Problem,
        source: Passes,
        explanations: Sequence[Explanation],
        threshold: float,
        *,
        passes: int | None,
        deadline: float | None,
        progress: Callable[[SearchProgress], None] | None,
    ) -> None:
        self._problem, self._source = problem, source
        self._explanations = explanations
        self._threshold = threshold
        self._passes, self._deadline = passes, deadline
        self._progress = progress
        stopped = explanations[0].stopped
        self.stopped = stopped if stopped.at_once else StopReason.FINISHED
        self.error: DetectorError | None = None
        self.word_passes = 0

    def sets(self) -> dict[str, RegionSet | None]:
        """The sets of the answer, by the name of its field."""
        targets = self._problem.targets
        kind, at = targets[0].kind, self._threshold
        orders = [explanation.order for explanation in self._explanations]
        away = repair_orders(self._problem, orders)
        if kind in CONTRASTS:
            order, other = orders
            return {
                "repair": self._find(repaired(targets, at), away, hide=True),
                "sufficient": self._find(wins(0, 1, at), [order, other[::-1]], hide=False),
                "rival_sufficient": self._find(wins(1, 0, at), [other, order[::-1]], hide=False),
            }
        sets: dict[str, RegionSet | None] = {}
        if kind is Kind.MISSED or len(targets) > 1:
            sets["repair"] = self._find(repaired(targets, at), away, hide=True)
        if kind is Kind.MISSED:
            sets["best"] = self._best_step()
        else:
            sets["necessary"] = self._find(unseen(0, at), orders[:1], hide=True)
        if kind in FALSE and len(targets) == 1:
            sets["repair"] = sets["necessary"]
        sets["sufficient"] = self._find(seen(0, at), orders[:1], hide=False)
        return sets

    def words(self, image: np.ndarray) -> WordAnswer | None:
        """Which words matter, of a phrase; `image` is (H, W, 3) uint8 RGB."""
        detector, target = self._problem.detector, self._problem.targets[0]
        phrase = target.kind in (Kind.CORRECT, Kind.GROUNDED_RIGHT, Kind.GROUNDED_WRONG)
        if not (phrase and isinstance(detector, WordHider) and self.stopped is StopReason.FINISHED):
            return None
        try:
            words = explain_words(
                detector,
                image,
                target,
                threshold=self._threshold,
                set_passes=self._passes,
                deadline=self._deadline,
            )
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
        return float(self._source.rows[:, 0, 7].max(initial=0))

    def whole_score(self) -> float:
        """The same of the whole image."""
        whole = np.ones((1, self._problem.regions.count), bool)
        return float(self._source.evaluate(whole)[0, 0, 7])

    def _find(self, goal: Goal, orders: Sequence[np.ndarray], *, hide: bool) -> RegionSet | None:
        found = smallest_set(
            self._source,
            goal,
            orders,
            hide=hide,
            passes=self._passes,
            # After a stop, what has been seen still tells a set, though no pass makes it smaller.
            deadline=self._deadline if self.stopped is StopReason.FINISHED else 0.0,
            after_batch=self._report,
        )
        if self.stopped is StopReason.FINISHED and found.stopped is not StopReason.BUDGET:
            self.stopped, self.error = found.stopped, found.error
        if found.regions is None:
            return None
        return self._described(found.regions, hide, exact=found.exact, passes=found.passes)

    def _report(self) -> None:
        """The orders are done, but the passes go on."""
        if self._progress is None:
            return
        insertion, deletion = np.mean(
            [(one.insertion_auc, one.deletion_auc) for one in self._explanations], axis=0
        )
        rounds = self._explanations[0].rounds
        self._progress(
            SearchProgress(self._source.passes, rounds, insertion, deletion, 0.0, measured=True)
        )

    def _described(
        self, regions: np.ndarray, hide: bool, *, exact: bool = False, passes: int = 0
    ) -> RegionSet:
        shown = np.full((1, self._problem.regions.count), hide)
        shown[0, regions] = not hide
        rows = self._source.evaluate(shown)[0]
        x1, y1, x2, y2 = rows[0, 3:7].tolist()
        return RegionSet(
            regions=tuple(int(region) for region in regions),
            area=float(self._problem.regions.areas[regions].sum()),
            hidden=hide,
            score=float(rows[0, 0]),
            class_score=float(rows[0, 1]),
            iou=float(rows[0, 2]),
            box=(x1, y1, x2, y2),
            found_score=float(rows[0, 7]),
            rival_score=float(rows[1, 0]) if len(rows) > 1 else None,
            exact=exact,
            passes=passes,
        )

    def _best_step(self) -> RegionSet | None:
        """The prefix of the path with the highest class score at the IoU, as in the paper."""
        order = self._explanations[0].order
        shown = prefixes(order)
        steps = np.flatnonzero(self._source.known(shown))
        scores = self._source.evaluate(shown[steps])[:, 0, 7]
        if not scores.max() > 0:
            return None
        step = steps[np.argmax(scores)]
        return self._described(np.sort(order[:step]), hide=False)


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
    if kind in CONTRASTS:
        return [orders[1], orders[0][::-1]]
    return [orders[0], *(order[::-1] for order in orders[1:])]


def _around(problem: Problem) -> np.ndarray:
    """Regions outside the target's box, the nearest first, and then those in it."""
    labels = problem.regions.label_map
    height, width = labels.shape
    scale = np.array([width, height, width, height]) / np.tile(problem.size[::-1], 2)
    x1, y1, x2, y2 = np.array(problem.targets[0].box) * scale
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    across = np.maximum(np.maximum(x1 - x, x - x2), 0)
    down = np.maximum(np.maximum(y1 - y, y - y2), 0)
    away = np.hypot(across, down).ravel()
    sizes = np.bincount(labels.ravel())
    inside = np.bincount(labels.ravel(), away == 0) / sizes
    distance = np.bincount(labels.ravel(), away) / sizes
    return np.lexsort((distance, np.where(inside > 0.05, inside, 0)))

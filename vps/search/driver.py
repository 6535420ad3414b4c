"""Runs searches: sends what they ask for through the detector, within budget and time."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vps.engine.budget import Budget, Progress, Stopped, StopReason
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.errors import DetectorError, InputError
from vps.search.orders import known_aucs
from vps.search.protocol import Round, Rounds, Search


@dataclass
class Outcome:
    """What the searches of an image came to.

    Attributes:
        orders: (m,) each, one a target.
        rounds: how many rounds of passes there were.
        stopped: why they ended.
        seconds: computing time of the searches themselves, without the detector.
        trace: how far they were after each round.
        error: what the detector failed with.
    """

    orders: list[np.ndarray]
    rounds: int = 0
    stopped: StopReason = StopReason.FINISHED
    seconds: float = 0.0
    trace: list[Progress] = field(default_factory=list)
    error: DetectorError | None = None


def run_searches(
    search: Search,
    objectives: Sequence[Objective],
    *,
    seed: int = 0,
    budget: Budget | None = None,
) -> Outcome:
    """Search an order for each target of an image; they share every pass.

    In each round, the subsets that any target asks for are evaluated once, and every search sees
    the scores of all of them. Searches that end early leave their share of the budget to the rest.

    Args:
        search: the strategy.
        objectives: one a target, over the same passes.
        seed: of whatever the strategy draws at random.
        budget: what they may cost; None for no limit.

    Returns:
        The best orders, also after Ctrl-C, which ends the searches and not the program, and when
        the detector fails.

    Raises:
        InputError: fewer passes than the first round takes.
    """
    return _Driver(search, objectives, seed, (budget or Budget()).started()).run()


class _Driver:
    def __init__(
        self,
        search: Search,
        objectives: Sequence[Objective],
        seed: int,
        budget: Budget,
    ) -> None:
        self._objectives = objectives
        self._source: Passes = objectives[0].source
        self._budget = budget
        self._outcome = Outcome([np.arange(self._source.regions.count) for _ in objectives])
        self._aucs = (float("nan"), float("nan"), False)
        self._searches: dict[int, Rounds] = {
            number: search(objective, seed) for number, objective in enumerate(objectives)
        }
        self._rounds: dict[int, Round] = {}
        self._held: Counter[int] = Counter()  # back for the end of each search, in passes
        self._last: set[int] = set()
        # Both ends of every curve: without them, nothing that a search was stopped at is of use.
        count = self._source.regions.count
        self._ends = np.array([np.ones(count), np.zeros(count)], bool)

    def run(self) -> Outcome:
        try:
            for number in list(self._searches):
                self._advance(number, None)
            self._check_first_round()
            while self._rounds:
                self._run_round()
            self._report()
        except Stopped as stop:
            self._end(stop.reason)
        except KeyboardInterrupt:
            self._end(StopReason.INTERRUPTED)
        return self._outcome

    def _advance(self, number: int, complete: bool | None) -> None:
        """Let a search think about what it asked for; it asks for more or ends.

        Args:
            number: of the target.
            complete: whether all that it asked for is known; None before its first round.
        """
        start = time.perf_counter()
        before = self._rounds.pop(number, None)
        held = before is not None and before.reserve is not None
        try:
            search = self._searches[number]
            step = next(search) if complete is None else search.send(complete)
            self._outcome.orders[number] = step.order
            # A round after the last is not asked for, nor one after the time is over.
            if complete is not False or (held and number not in self._last):
                self._rounds[number] = step
            if complete is False:
                self._last.add(number)
        except StopIteration as end:
            # A search that was interrupted while it thought has ended without an answer.
            if end.value is not None:
                self._outcome.orders[number] = end.value
        finally:
            if number not in self._rounds:
                del self._held[number]
            self._outcome.seconds += time.perf_counter() - start

    def _check_first_round(self) -> None:
        asks = [self._ends, *(step.ask for step in self._rounds.values())]
        least = int(self._source.new(np.concatenate(asks)).sum())
        limit = self._budget.passes
        if limit is not None and self._source.passes + least > limit:
            raise InputError(
                f"a budget of {limit} passes is too small: the first round alone needs "
                f"{self._source.passes + least}"
            )

    def _run_round(self) -> None:
        """Evaluate what all searches ask for, as far as the budget goes, and let them go on."""
        chosen = self._granted()
        if len(chosen):
            self._evaluate(chosen)
            self._outcome.rounds += 1
        for number, step in list(self._rounds.items()):
            # Others may have asked for what a search itself could not afford.
            complete = bool(self._source.known(step.ask).all())
            if not complete:
                self._outcome.stopped = StopReason.BUDGET
            self._advance(number, complete)
        self._report()
        self._outcome.trace.append(self._progress())
        self._budget.report_orders(self._objectives, self._outcome.orders, self._outcome.rounds)

    def _granted(self) -> np.ndarray:
        """(K, m) bool, the unknown subsets of what all searches ask for that can be afforded.

        What is held back for one target is never given to another. A round that can be divided
        gets at least an even share of the rest, any other all that it asks for or nothing.
        """
        chosen = [self._ends[self._source.new(self._ends)]]
        asked, waiting = len(chosen[0]), len(self._rounds)
        free = self._left() - asked - self._held.total()
        # What the cheapest leaves of its share is of use to the others.
        for number in sorted(self._rounds, key=self._cost):
            step, held = self._rounds[number], self._held[number]
            # What others ask for in the same round is shared, so it counts once.
            rows = step.ask[self._source.new(np.concatenate([*chosen, step.ask]))[asked:]]
            room = max(free, 0) / waiting if step.divisible else free
            if len(rows) + (step.reserve or 0) - held <= room:
                self._held[number] = step.reserve or 0
            elif step.divisible and step.reserve is None:
                rows = rows[: int(room + held)]
                self._held[number] = 0
            else:
                rows = rows[: int(room) if step.divisible else 0]
            free -= len(rows) + self._held[number] - held
            chosen.append(rows)
            asked += len(rows)
            waiting -= 1
        return np.concatenate(chosen)

    def _cost(self, number: int) -> int:
        """What a round of a target takes from the passes that are not held back for any."""
        step = self._rounds[number]
        new = int(self._source.new(step.ask).sum())
        return new + (step.reserve or 0) - self._held[number]

    def _left(self) -> float:
        """Passes of the budget that are left."""
        limit = self._budget.passes
        return math.inf if limit is None else limit - self._source.passes

    def _evaluate(self, rows: np.ndarray) -> None:
        size = self._source.batch_size
        for start in range(0, len(rows), size):
            self._budget.check()
            try:
                self._source.evaluate(rows[start : start + size])
            except DetectorError as error:
                # What was evaluated so far is worth keeping.
                self._outcome.error = error
                raise Stopped(StopReason.FAILED) from error
            self._budget.report(self._progress())

    def _end(self, reason: StopReason) -> None:
        """Let the searches make the best of a round that was not finished."""
        self._outcome.stopped = reason
        for number in list(self._rounds):
            self._advance(number, False)

    def _report(self) -> None:
        """Tell what the orders are worth now."""
        known = [
            known_aucs(objective, order)
            for objective, order in zip(self._objectives, self._outcome.orders, strict=True)
        ]
        insertion, deletion, measured = np.mean(known, axis=0)
        self._aucs = (float(insertion), float(deletion), bool(measured == 1))
        self._budget.report(self._progress())

    def _progress(self) -> Progress:
        insertion, deletion, measured = self._aucs
        rounds, seconds = self._outcome.rounds, self._outcome.seconds
        return Progress(self._source.passes, rounds, insertion, deletion, seconds, measured)

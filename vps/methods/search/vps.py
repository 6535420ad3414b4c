"""Visual Precision Search: a search for the order of regions, by showing and hiding them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from vps.engine.budget import Budget
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.protocol import Attribution, MethodFamily
from vps.methods.search.one_search import searched
from vps.search.driver import run_searches
from vps.search.settings import AUTO, BUDGETED, check_search, passes_allowed, search_of
from vps.sets.goals import Goal
from vps.sets.hiding import repair_orders
from vps.sets.smallest import smallest_set

_USUAL = "balanced"


@dataclass(frozen=True)
class VPS:
    """Chen et al., "Interpreting Object-level Foundation Models via Visual Precision Search",
    CVPR 2025: the order of regions along which F, consistency and collaboration, rises earliest.

        F(S) = lambda1 * s(S) + lambda2 * (1 - s(V - S)),   s(S) = max_i IoU(b_i, b*) * p_ic

    The paper's search is "greedy", which takes m (m + 1) passes a target; the others come near it
    with fewer, see `vps.search`.

    Attributes:
        search: a key of `vps.search.SEARCHES`, or "auto": the one that this version recommends
            (`vps.search.settings.RECOMMENDED`); the result names it.
        effort: "fast", "balanced" or "high": 15, 20 or 30 % of greedy's passes, and at least 8 m,
            for the searches that can use any number of passes: auto, sampled_search,
            sampled_search_wide, path_search, top_k. Each further target adds half as much.
        budget: instead, the most passes: a whole number for all targets together, or a share of
            greedy's m (m + 1) with a decimal point.

    Raises:
        InputError: a search, an effort or a budget that does not exist, or an effort that would say
            nothing.
    """

    name: ClassVar[str] = "vps"
    family: ClassVar[MethodFamily] = MethodFamily.SEARCH
    needs: ClassVar[str] = ""

    search: str = AUTO
    effort: str = _USUAL
    budget: int | float | None = None

    def __post_init__(self) -> None:
        check_search(self.search, self.effort, self.budget)
        if self.effort != _USUAL and (self.budget is not None or self.search not in BUDGETED):
            raise InputError(
                f"effort {self.effort} says nothing beside a budget, nor for a search that ends by "
                f"itself ({self.search}): leave it out"
            )

    def planned_passes(self, problem: Problem) -> int:
        """What the effort or the budget allows, and never more than greedy would take."""
        regions, limit = problem.regions.count, self._limit(problem)
        greedy = min(regions * (regions + 1), 2**regions) * len(problem.targets)
        return greedy if limit is None else min(limit, greedy)

    def _limit(self, problem: Problem) -> int | None:
        regions, targets = problem.regions.count, len(problem.targets)
        return passes_allowed(self.search, self.effort, self.budget, regions, targets)

    def with_passes(self, passes: int) -> VPS:
        """They are the budget of the search."""
        return dataclasses.replace(self, effort=_USUAL, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The orders; see `vps.methods.protocol.Method`.

        A budget of passes stands above the effort: what it allows is used.

        After Ctrl-C, or where the detector fails, the orders are the best so far.
        """
        budget = (budget or Budget()).started()
        limits = [] if budget.passes is None else [budget.passes]
        if not limits or self.budget is not None:
            own = self._limit(problem)
            limits += [] if own is None else [own]
        limit = min(limits, default=None)
        source = problem.passes()
        used, find = search_of(self.search)
        return searched(used, find, problem.objectives(source), budget.within(limit), seed)

    def look_for_repair(
        self, problem: Problem, source: Passes, goal: Goal, budget: Budget, seed: int
    ) -> int | None:
        """Half of the passes for the orders, the rest for the smallest set that starts from them.

        The curves of the orders are not wanted, so no pass is made to measure them.
        """
        assert budget.passes is not None
        half = budget.passes // 2
        _, find = search_of(self.search)
        outcome = run_searches(
            find, problem.objectives(source), seed=seed, budget=budget.within(half)
        )
        outcome.stopped.raise_again(outcome.error)
        orders = repair_orders(problem, outcome.orders)
        rest = budget.within(budget.passes - source.passes)
        found = smallest_set(source, goal, orders, hide=True, budget=rest)
        found.stopped.raise_again(found.error)
        return len(found.regions) if found.exact and found.regions is not None else None

"""What methods share that are one search with its own settings, from its start to its end."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vps.core.numbers import check_whole
from vps.engine.budget import Budget
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.methods.protocol import Attribution, MethodFamily
from vps.search import Search
from vps.search.driver import run_searches

_MOST_PASSES = 10**12


@dataclass(frozen=True)
class OneSearch(ABC):
    """A search that ends by itself.

    Attributes:
        budget: the most passes for all targets together; None lets it come to its end.
    """

    name: ClassVar[str]
    family: ClassVar[MethodFamily] = MethodFamily.SEARCH
    needs: ClassVar[str] = ""

    budget: int | None = None

    def __post_init__(self) -> None:
        if self.budget is not None:
            check_whole("budget", self.budget, 1, _MOST_PASSES)

    @abstractmethod
    def strategy(self) -> tuple[str, Search]:
        """The name of the search, and the search."""

    @abstractmethod
    def most_passes(self, regions: int) -> int:
        """The most that a target takes without a budget."""

    def objectives(self, problem: Problem, source: Passes) -> Sequence[Objective]:
        """What is searched for each target: that of the problem."""
        return problem.objectives(source)

    def planned_passes(self, problem: Problem) -> int:
        """What the search takes where nothing is shared, or its budget."""
        regions = problem.regions.count
        most = min(self.most_passes(regions), 2**regions) * len(problem.targets)
        return most if self.budget is None else min(self.budget, most)

    def with_passes(self, passes: int) -> OneSearch:
        """They are its budget; a search that ends before makes no use of the rest."""
        return dataclasses.replace(self, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The orders; see `vps.methods.protocol.Method`.

        After Ctrl-C, or where the detector fails, the orders are the best so far.
        """
        budget = (budget or Budget()).started().at_most(self.budget)
        name, search = self.strategy()
        objectives = self.objectives(problem, problem.passes())
        return searched(name, search, objectives, budget, seed)


def searched(
    name: str, search: Search, objectives: Sequence[Objective], budget: Budget, seed: int
) -> Attribution:
    """What a search of one order for each objective, over the same passes, comes to."""
    outcome = run_searches(search, objectives, seed=seed, budget=budget)
    source = objectives[0].source
    return Attribution(
        passes=source.passes,
        orders=outcome.orders,
        stopped=outcome.stopped,
        error=outcome.error,
        source=source,
        search=name,
        limit=budget.passes,
        rounds=outcome.rounds,
    )

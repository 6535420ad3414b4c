"""VX-CODE: regions inserted, or deleted, greedily by what they do together."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from vps.core.numbers import check_range, check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.objective import Objective
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.protocol import Attribution, MethodFamily
from vps.methods.search.one_search import searched
from vps.search.protocol import Round, Rounds


@dataclass(frozen=True)
class VXCODE:
    """Yamauchi, Kera & Kawamoto, "Explaining Object Detectors via Collective Contribution of
    Pixels", CVPR 2026: at each step the group of regions whose Shapley values and interactions, in
    the context of what was chosen before, add to the most.

        insertion: B = argmax over groups B of s(S + B),       S what has been inserted
        deletion:  B = argmin over groups B of s(V - (D + B)),  D what has been deleted

    for the Shapley values s(S + b) - s(S) of a group's regions and their interactions
    s(S + b + c) - s(S + b) - s(S + c) + s(S) add to s(S + B) - s(S). A group is made of the regions
    that are best alone, and inserted in the order with the highest sum of scores. After a share of
    all regions, they come one by one.

    Two things differ from the authors' code, so that methods can be compared: the regions are the
    problem's, where it has 8 to 24 patches a side by the size of the box and leaves out those far
    from it; and s is the engine's, where it compares all classes by their cosine.

    Groups of one take m (m + 1) / 2 + 1 passes a target; groups of r take C(top, r) more a step.

    Attributes:
        variant: "insertion" or "deletion".
        group: r, regions that are chosen together, 1 to 5.
        top: of how many, those that are best alone; at least r.
        share: of all regions that come in groups, in [0, 1].
        budget: the most passes, of all targets together; None for no limit.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "vx-code"
    family: ClassVar[MethodFamily] = MethodFamily.SEARCH
    needs: ClassVar[str] = ""

    variant: Literal["insertion", "deletion"] = "deletion"
    group: int = 1
    top: int = 30
    share: float = 0.1
    budget: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("group", self.group, 1, 5)
        check_whole("top", self.top, 1, 100)
        if self.top < self.group:
            raise InputError(f"top must be at least the group, {self.group}, got {self.top}")
        check_range("share", self.share, 0, 1)
        if self.budget is not None:
            check_whole("budget", self.budget, 2, 10**9)

    def planned_passes(self, problem: Problem) -> int:
        """Those of all steps and targets, or of the budget, and never more than there are."""
        count = problem.regions.count
        steps, done = 0, 0
        while done < count:
            left, size = count - done, self._size(done, count)
            together = math.comb(min(self.top, left), size) + 2**size
            steps += left + (together if size > 1 else 0)
            done += size
        most = min(len(problem.targets) * steps + 1, 2**count)
        return most if self.budget is None else min(most, self.budget)

    def with_passes(self, passes: int) -> VXCODE:
        """They are the budget of the search."""
        return dataclasses.replace(self, budget=max(passes, 2))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The orders; see `vps.methods.protocol.Method`.

        Where the passes are spent, after Ctrl-C, or where the detector fails, the regions that are
        left follow by what they last did alone.
        """
        budget = (budget or Budget()).started().at_most(self.budget)
        objectives = problem.objectives(problem.passes())
        return searched("", functools.partial(_search, self), objectives, budget, seed)

    def _size(self, done: int, count: int) -> int:
        """How many regions the next step chooses."""
        return min(self.group, count - done) if done < self.share * count else 1


def _search(method: VXCODE, objective: Objective, seed: int, /) -> Rounds:
    count = objective.regions.count
    deletes = method.variant == "deletion"
    order, left = np.empty(0, np.int64), np.arange(count)

    def shown(groups: np.ndarray) -> np.ndarray:
        """(K, m) what is shown with (K, n) regions beside those of the order."""
        chosen = np.zeros((len(groups), count), bool)
        chosen[:, order] = True
        chosen[np.arange(len(groups))[:, None], groups] = True
        return ~chosen if deletes else chosen

    def worth(groups: np.ndarray) -> np.ndarray:
        """(K,) the higher the better."""
        scores: np.ndarray = objective.evaluate(shown(groups)).score
        return -scores if deletes else scores

    while len(left):
        alone = np.sort(left)[:, None]
        if not (yield Round(np.append(order, left), shown(alone))):
            break
        # Stable sorts and first maxima of what ascends: of equals, the lower index comes first.
        left = alone[np.argsort(-worth(alone), kind="stable"), 0]
        size = method._size(len(order), count)
        if size == 1:
            order, left = np.append(order, left[0]), left[1:]
            continue
        groups = np.array(list(itertools.combinations(np.sort(left[: method.top]), size)))
        if not (yield Round(np.append(order, left), shown(groups))):
            break
        best = groups[np.argmax(worth(groups))]
        rest = left[~np.isin(left, best)]
        orders = np.array(list(itertools.permutations(best)))
        firsts = [orders[:, :number] for number in range(1, size + 1)]
        asked = np.concatenate([shown(first) for first in firsts])
        if not (yield Round(np.concatenate([order, best, rest]), asked)):
            order, left = np.append(order, best), rest
            break
        sums = sum(worth(first) for first in firsts)
        order, left = np.append(order, orders[np.argmax(sums)]), rest
    return np.append(order, left)

"""How little of an image must be hidden to repair a failure, by each method, at equal expense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vps.core.names import choose
from vps.core.targets import Kind
from vps.engine.attribution import region_means
from vps.engine.budget import StopReason
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.explaining.failure_sets import repair_orders
from vps.methods import METHODS, check_options
from vps.methods.vps import VPS
from vps.metrics import repaired_name
from vps.results.repair import Repair
from vps.search.driver import run_searches
from vps.search.settings import check_search, find_search
from vps.sets.goals import CONTRASTS, Goal, repaired
from vps.sets.smallest import smallest_set

FAILURES = tuple(kind for kind in Kind if kind not in (Kind.CORRECT, Kind.GROUNDED_RIGHT))
"""The kinds of case that there is something to repair of."""

_EXPENSE = {"drise": "masks"}  # the option of a method that says how many passes its map takes


@dataclass(frozen=True)
class RepairSettings:
    """How the repairs of a study's failures are looked for.

    Attributes:
        passes: that every method may spend on a failure, beside those of its explanation; 0 looks
            for no repairs, and fewer than `least_passes` are refused.
        threshold: the lowest class score of a detection, in (0, 1]; its IoU must exceed 0.5. None
            for the score from which a study counts detections: at another, what is no failure any
            more has nothing to hide.
        areas: shares of the image, each in (0, 1); the share of failures that hiding no more than
            that repairs is a metric.

    Raises:
        InputError: a value out of range, or a share that comes twice.
    """

    passes: int = 0
    threshold: float | None = None
    areas: tuple[float, ...] = (0.05, 0.1, 0.2)

    def __post_init__(self) -> None:
        object.__setattr__(self, "areas", tuple(self.areas))
        if self.passes < 0:
            raise InputError(f"passes must be at least 0, got {self.passes}")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise InputError(f"threshold must be in (0, 1], got {self.threshold}")
        for share in self.areas:
            if not 0 < share < 1:
                raise InputError(f"areas must lie in (0, 1), got {share}")
        if len({repaired_name(share) for share in self.areas}) < len(self.areas):
            raise InputError(f"areas holds a share twice: {self.areas}")


def repair(
    problem: Problem,
    method: str,
    *,
    passes: int,
    threshold: float = 0.3,
    seed: int = 0,
    search: str = "path_search",
    options: Mapping[str, Any] | None = None,
) -> Repair:
    """Look for the smallest part of an image whose hiding repairs a failure.

    Every method may spend the same number of passes, and chooses what to hide:

        vps      half of them goes to the orders by its search, the rest to the smallest set, which
                 starts from them and from what they have shown (`vps.sets.smallest.smallest_set`)
        random   the prefixes of as many random orders as the passes allow, those alone that are
                 smaller than the best so far
        others   the prefixes of one order, by `map_order`; the map of D-RISE takes as many masks as
                 they leave

    The repair is what covers least of all that was hidden and attains the goal. It need not be
    irreducible: a region of it may be one that is not needed.

    Random orders and maps never exceed the passes. The smallest set may, for the first set that it
    finds is made irreducible whatever that takes: seldom, and then by fewer than m as a rule.

    Args:
        problem: its targets are those of `vps.sets.goals.with_rival`, its mode is "object".
        method: "vps" or a key of `vps.methods.METHODS`.
        passes: the most, for all together, at least `least_passes`.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
        seed: of whatever is drawn at random.
        search: of "vps", see `vps.explaining.explain.explain`; its budget is half of the passes.
        options: of a compared method; the number of D-RISE's masks is not taken from them.

    Raises:
        InputError: too few passes, or a method, search or option that does not exist.
        DetectorError: the detector fails or breaks its contract.
        KeyboardInterrupt: Ctrl-C.
    """
    choose({VPS: None, **METHODS}, method, "method")
    check_search(search, "balanced", passes)
    least = least_passes(problem.regions.count)
    if passes < least:
        raise InputError(
            f"{passes} passes are too few to repair with: {problem.regions.count} regions need "
            f"{least}"
        )
    goal = repaired(problem.targets, threshold)
    source = problem.passes()
    own, fewest = 0, None
    if method == VPS:
        fewest = _search(problem, source, goal, passes, seed, search)
    elif method == "random":
        _draw(source, goal, passes, seed)
    else:
        own = _follow_map(problem, source, method, options or {}, passes, seed)
    members = _least(source, goal)
    spent = own + source.passes
    if members is None:
        return Repair(None, None, None, spent)
    return Repair(
        regions=tuple(np.flatnonzero(members).tolist()),
        area=float(problem.regions.areas[members].sum()),
        found_score=float(source.evaluate(~members[None])[0, 0, 7]),
        passes=spent,
        exact=members.sum() in (0, fewest),
    )


def least_passes(regions: int) -> int:
    """The fewest passes that a repair among m regions is looked for with.

    Half of them pay for the first round of any search: 2 m subsets, the whole image and nothing.
    """
    return 4 * (regions + 1)


def map_order(problem: Problem, means: Sequence[np.ndarray]) -> np.ndarray:
    """The order in which maps would hide regions so that a failure goes away.

        missed                         the least important for the target first
        classification, localisation,
        both, grounded_wrong           the most important for the rival, less that for the target
        background, duplicate          the most important for the target first

    Args:
        problem: of the failure.
        means: (m,) of each target, the mean of its map over each region.

    Returns:
        (m,); ties by region index.
    """
    kind = problem.targets[0].kind
    if kind is Kind.MISSED:
        return np.argsort(means[0], kind="stable")
    worth = means[1] - means[0] if kind in CONTRASTS else means[0]
    return np.argsort(-worth, kind="stable")


def _search(
    problem: Problem, source: Passes, goal: Goal, passes: int, seed: int, search: str
) -> int | None:
    """Show what the search for the smallest set asks for.

    Returns:
        The fewest regions that attain the goal, where that is certain.
    """
    budget = passes // 2
    _, find = find_search(search, source, budget)
    # The curves of the orders are not wanted, so no pass is made to measure them.
    outcome = run_searches(find, problem.objectives(source), seed=seed, budget=budget)
    _check_end(outcome.stopped, outcome.error)
    orders = repair_orders(problem, outcome.orders)
    found = smallest_set(source, goal, orders, hide=True, passes=passes - source.passes)
    _check_end(found.stopped, found.error)
    return len(found.regions) if found.exact and found.regions is not None else None


def _draw(source: Passes, goal: Goal, passes: int, seed: int) -> None:
    """Hide the prefixes of random orders, as far as they are smaller than the best so far."""
    areas, rng = source.regions.areas, np.random.default_rng(seed)
    least = np.inf
    # Late orders may need no pass at all, so it is not the passes alone that end it.
    for _ in range(passes):
        members = prefixes(rng.permutation(len(areas)))
        members = members[members @ areas < least]
        if source.new(~members).sum() > passes - source.passes:
            break
        source.evaluate(~members)
        best = _least(source, goal)
        least = np.inf if best is None else best @ areas


def _follow_map(
    problem: Problem,
    source: Passes,
    method: str,
    options: Mapping[str, Any],
    passes: int,
    seed: int,
) -> int:
    """Hide the prefixes of the order by the maps of a method; returns the passes of the maps."""
    check_options(method, options)
    if method in _EXPENSE:
        # All prefixes of the order, nothing and all included, and a look at the whole image.
        rest = passes - (problem.regions.count + 1) - 1
        options = {**options, _EXPENSE[method]: rest}
    maps = METHODS[method](problem, seed=seed, **options)
    labels = problem.regions.label_map
    order = map_order(problem, [region_means(values, labels) for values in maps.values])
    source.evaluate(~prefixes(order))
    return maps.passes


def _least(source: Passes, goal: Goal) -> np.ndarray | None:
    """Members (m,) bool of what covers least of all that was hidden and attains the goal."""
    hidden = ~source.subsets[goal(source.rows)[0]]
    if not len(hidden):
        return None
    least: np.ndarray = hidden[np.argmin(hidden @ source.regions.areas)]
    return least


def _check_end(stopped: StopReason, error: Exception | None) -> None:
    """Raise what a search has swallowed to save what it had."""
    if error is not None:
        raise error
    if stopped is StopReason.INTERRUPTED:
        raise KeyboardInterrupt

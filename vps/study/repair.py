"""How little of an image must be hidden to repair a failure, by each method, at equal expense."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vps.engine.budget import Budget
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods import Method, RepairSearch
from vps.metrics import repaired_name
from vps.results.repair import Repair
from vps.sets.across import fill_sources
from vps.sets.goals import Goal, repaired
from vps.sets.hiding import least_hidden, map_order, repair_orders, touches


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
    problem: Problem, method: Method, *, passes: int, threshold: float = 0.3, seed: int = 0
) -> Repair:
    """Look for the smallest part of an image whose hiding repairs a failure.

    Every method may spend the same number of passes, and chooses what to hide:

        vps      half of them goes to the orders by its search, the rest to the smallest set, which
                 starts from them and from what they have shown (`vps.sets.smallest.smallest_set`)
        random   the prefixes of as many random orders as the passes allow, those alone that are
                 smaller than the best so far
        others   the prefixes of one order, by `vps.sets.hiding.map_order`; the map takes what they
                 leave

    The repair is what covers least of all that was hidden and attains the goal. It need not be
    irreducible: a region of it may be one that is not needed. Then it is tried under each other
    fill of `vps.core.masking.FILLS`, for a pass each beside the passes that are counted.

    Random orders and maps never exceed the passes. The smallest set may, for the first set that it
    finds is made irreducible whatever that takes: seldom, and then by fewer than m as a rule.

    Args:
        problem: its targets are those of `vps.sets.goals.with_rival`, its mode is "object".
        method: with its settings, but for what it costs.
        passes: the most, for all together, at least `least_passes`.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
        seed: of whatever is drawn at random.

    Raises:
        InputError: too few passes.
        DetectorError: the detector fails or breaks its contract.
        KeyboardInterrupt: Ctrl-C.
    """
    least = least_passes(problem.regions.count)
    if passes < least:
        raise InputError(
            f"{passes} passes are too few to repair with: {problem.regions.count} regions need "
            f"{least}"
        )
    goal = repaired(problem.targets, threshold)
    source = problem.passes()
    own, fewest = 0, None
    if isinstance(method, RepairSearch):
        fewest = method.look_for_repair(problem, source, goal, Budget(passes=passes), seed)
    else:
        own = _follow(problem, source, method, passes, seed)
    members = least_hidden(source, goal)
    spent = own + source.passes
    if members is None:
        return Repair(None, None, None, spent)
    beside = None
    if not problem.targets[0].kind.traits.false_box:
        beside = least_hidden(source, goal, apart=touches(problem))
    shown = ~members[None]
    return Repair(
        regions=tuple(np.flatnonzero(members).tolist()),
        area=float(problem.regions.areas[members].sum()),
        found_score=float(source.evaluate(shown)[0, 0].found_score),
        passes=spent,
        exact=members.sum() in (0, fewest),
        fills=_under_fills(problem, source, goal, shown) if members.any() else {},
        beside_area=None if beside is None else float(problem.regions.areas[beside].sum()),
    )


def _under_fills(
    problem: Problem, source: Passes, goal: Goal, shown: np.ndarray
) -> dict[str, bool]:
    """Whether a repair holds under each fill, its own first."""
    sources = fill_sources(problem, source).items()
    return {fill: bool(goal(each.evaluate(shown))[0][0]) for fill, each in sources}


def least_passes(regions: int) -> int:
    """The fewest passes that a repair among m regions is looked for with.

    Half of them pay for the first round of any search: 2 m subsets, the whole image and nothing.
    """
    return 4 * (regions + 1)


def _follow(problem: Problem, source: Passes, method: Method, passes: int, seed: int) -> int:
    """Hide the prefixes of the order that a method gives; returns the method's passes."""
    # All prefixes of the order, nothing and all included.
    rest = passes - (problem.regions.count + 1)
    found = method.with_passes(rest).attribute(problem, Budget(passes=rest), seed)
    found.stopped.raise_again(found.error)
    if found.maps is not None:
        order = map_order(problem, found.means_of(problem.regions))
    else:
        order = repair_orders(problem, found.orders_of(problem.regions))[0]
    source.evaluate(~prefixes(order))
    return found.passes

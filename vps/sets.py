"""The smallest set of regions that attains a goal, shown alone or hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vps.errors import InputError
from vps.goals import Goal
from vps.passes import SubsetPasses
from vps.set_search import FoundSet, SetSearch

__all__ = ["FoundSet", "smallest_set"]

_MOST = 4096
"""Passes where no number is given: all subsets of 12 regions."""


def smallest_set(
    source: SubsetPasses,
    goal: Goal,
    orders: Sequence[np.ndarray] = (),
    *,
    hide: bool,
    passes: int | None = None,
    deadline: float | None = None,
    after_batch: Callable[[], None] | None = None,
) -> FoundSet:
    """A set of regions that attains a goal, as small as the passes allow.

    It starts from the shortest prefix of each order that attains the goal, from the smallest set
    that the source has seen attain it, and from sets that grow region by region towards it (a
    beam); then it leaves out what is not needed, each time verified by passes, until no single
    region can be left out; then it looks for a set of one region less among the most promising
    regions. Guaranteed are

    - irreducibility: without any one of its regions, the set fails;
    - where `FoundSet.exact`, the fewest regions of all. With 12 regions at most and no limit of
      passes, that is always so; with more, mostly for sets of one region (as many as can be tried
      in full).

    Args:
        source: shows subsets; what it has seen costs no pass.
        goal: what is to be attained, see `vps.goals`.
        orders: (m,) each, all regions, those that are likely in the set first.
        hide: whether the set is hidden and the rest shown, or it is shown alone.
        passes: about the most to add; None for 4096. What a set that was found needs to be made
            irreducible is not cut short: k passes or two a round, and seldom more than 3 rounds.
        deadline: of `time.monotonic`, after which no further batch begins; None for none.
        after_batch: called after each batch.

    Returns:
        The best set so far also after Ctrl-C, which ends the search and not the program, and when
        the detector fails.

    Raises:
        InputError: a limit below 0.
    """
    if passes is not None and passes < 0:
        raise InputError(f"a number of passes is 0 or more, got {passes}")
    search = SetSearch(
        source,
        goal,
        hide=hide,
        passes=_MOST if passes is None else passes,
        deadline=deadline,
        after_batch=after_batch,
    )
    return search.run(orders)

"""How much a search may spend, and which one is taken where none is named."""

from __future__ import annotations

from numbers import Integral, Real

from vps.core.names import choose
from vps.errors import InputError
from vps.search import SEARCHES, Search

EFFORTS = {"fast": 0.15, "balanced": 0.20, "high": 0.30}
"""Budgets by name, as shares of the m (m + 1) passes of the paper's greedy search."""

AUTO = "auto"
"""Stands for the search that this version recommends, on any detector and machine."""

RECOMMENDED = "sampled_search"

HOLDING = ("sampled_search", "sampled_search_wide")
"""Searches that hold passes back for their end, and so are told their budget."""

BUDGETED = (AUTO, *HOLDING, "path_search", "top_k")
"""Searches that can use any number of passes; the others end by themselves."""

_LEAST_PER_REGION = 8  # passes; what the first round and the first two or three orders need


def check_search(search: str, effort: str, budget: int | float | None) -> None:
    """Raise InputError for a search, an effort or a budget that does not exist."""
    choose({AUTO: None, **SEARCHES}, search, "search")
    choose(EFFORTS, effort, "effort")
    passes = isinstance(budget, Integral) and not isinstance(budget, bool)
    if budget is not None and not isinstance(budget, Real):
        raise InputError(f"a budget is a number, got {budget!r}")
    if budget is not None and not (budget > 0 if passes else 0 < budget <= 1):
        raise InputError(
            "a budget is a whole number of passes, or a share of greedy's in (0, 1] with a decimal "
            f"point; got {budget}"
        )


def passes_allowed(
    search: str, effort: str, budget: int | float | None, regions: int, targets: int = 1
) -> int | None:
    """The most passes for all targets of an image; None for no limit.

    Args:
        search: only searches that can use any budget are limited by the effort.
        effort: a key of `EFFORTS`, but at least 8 m passes; says nothing where a budget is given.
        budget: passes for all targets together; or, as a float, a share of m (m + 1) for one
            target, and half of that for each further one, which profits from the others' passes.
        regions: m.
        targets: how many there are.
    """
    if isinstance(budget, Integral):
        return int(budget)
    if budget is None and search not in BUDGETED:
        return None
    greedy = regions * (regions + 1)
    if budget is None:
        # With few regions a share of greedy's passes would not even get a search started.
        share = choose(EFFORTS, effort, "effort")
        one = max(share * greedy, min(_LEAST_PER_REGION * regions, greedy))
    else:
        one = budget * greedy
    return round(one * (1 + targets) / 2)


def search_of(name: str) -> tuple[str, Search]:
    """The search of a name, with its own name: for "auto", that of the recommended one."""
    name = RECOMMENDED if name == AUTO else name
    return name, SEARCHES[name]

"""PhaseWin as a method of its own: a search in phases, with its settings."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

from vps.methods.search.one_search import OneSearch
from vps.search import Search
from vps.search.phase_window import Phases, phase_window


@dataclass(frozen=True)
class PhaseWin(Phases, OneSearch):
    """Gu, Chen et al., "PhaseWin Search Framework Enable Efficient Object-Level Interpretation",
    CVPR 2026: the objective of VPS, searched greedily in phases that measure a window of regions.

    With these defaults the search is `VPS(search="phase_win")`. What it does, and where it differs
    from what is published: `vps.search.phase_window.phase_window`; what the settings are, all but
    the budget: `vps.search.phase_window.Phases`.

    Attributes:
        budget: the most passes for all targets together; None lets the search come to its end.

    Raises:
        InputError: a value out of range.
    """

    name: ClassVar[str] = "phase-win"

    def __post_init__(self) -> None:
        Phases.__post_init__(self)
        OneSearch.__post_init__(self)

    def strategy(self) -> tuple[str, Search]:
        """That of `vps.search.phase_window`."""
        return "phase_win", functools.partial(phase_window, settings=self)

    def most_passes(self, regions: int) -> int:
        """Those of greedy."""
        return regions * (regions + 1)

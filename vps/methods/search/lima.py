"""LiMA: a search from both ends, with the objective of its own paper."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.objective import Objective, check_lambdas
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.methods.search.one_search import OneSearch
from vps.search import Search
from vps.search.bidirectional import PENDING, bidirectional

_MOST_PENDING = 100_000


@dataclass(frozen=True)
class LiMA(OneSearch):
    """Chen et al., "Less is More: Efficient Black-box Attribution via Minimal Interpretable Subset
    Selection", 2025: the most and the least important regions, searched from both ends at once.

        F(S) = w1 * s(S) + w2 * (1 - s(V - S)) + w3 * e(S)

    Consistency, collaboration and effectiveness with the paper's weights, which are those of the
    search alone: the map of an explanation comes from the problem's lambdas, as for all methods.
    The search: `vps.search.bidirectional.bidirectional`.

    Different here: s is the problem's score of a target (IoU x class), where the paper has a
    probability of a classifier. Its fourth term, confidence (1 - the normalised entropy of the
    class probabilities, weight 0.05), is left out: detectors score labels apart from each other,
    so there is no distribution to take an entropy of. Effectiveness compares what can be seen of
    the regions (`vps.engine.effectiveness.Effectiveness`), where the paper compares what the model
    says of each alone. Candidates for the back are chosen by F(A + b) as a whole; the authors' code
    takes e(B + b) into it.

    Attributes:
        budget: the most passes for all targets together; None lets the search come to its end.
        weights: (w1, w2, w3), not negative and the first two not both 0.
        pending: how many of the worst regions are tried for the back at each step, at least 1.

    Raises:
        InputError: a value out of range.
    """

    name: ClassVar[str] = "lima"

    weights: tuple[float, float, float] = (20.0, 5.0, 0.01)
    pending: int = PENDING

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self)
        object.__setattr__(self, "weights", tuple(self.weights))
        check_lambdas(self.weights, "weights")
        check_whole("pending", self.pending, 1, _MOST_PENDING)

    def strategy(self) -> tuple[str, Search]:
        """That of `vps.search.bidirectional`."""
        return "bidirectional", functools.partial(bidirectional, pending=self.pending)

    def objectives(self, problem: Problem, source: Passes) -> Sequence[Objective]:
        """With the weights of this method."""
        return [
            Objective(source, number, lambdas=self.weights)
            for number in range(len(problem.targets))
        ]

    def most_passes(self, regions: int) -> int:
        """Two for each region between, and two for each that is tried for the back."""
        passes, between = 2, regions
        while between > 1:
            back = between > self.pending
            passes += 2 * (between + back * self.pending)
            between -= 1 + back
        return passes

"""What a method owes: an order of the regions, or a map, for each target of a problem."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from vps.core.regions import Regions
from vps.engine.attribution import region_means
from vps.engine.budget import Budget, StopReason
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError
from vps.sets.goals import Goal


class MethodFamily(str, enum.Enum):
    """What a method does with the detector."""

    SEARCH = "search"
    PERTURBATION = "perturbation"
    GRADIENT = "gradient"
    CONTROL = "control"


class Complete(str, enum.Enum):
    """Over what a map that promises completeness sums to s(image) - s(fill).

    A method says so in an attribute `complete`; those without promise nothing.
    """

    PIXELS = "pixels"
    REGIONS = "regions"


GRADIENTS = "gradients"
FEATURES = "gradients, feature layers"
ATTENTION = "gradients, attention"
"""What methods need that ask a `DifferentiableDetector`, a `FeatureDetector`, an
`AttentionDetector`."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method says of the T targets of a problem: maps, or orders.

    Attributes:
        passes: how many images went through the detector, for all T together; of a method that
            asks for gradients, with its backward passes at what they cost.
        maps: (T, h, w) float32, one a target on the detector's grid; higher is more important, any
            finite scale.
        orders: T of (m,) int64, the most important region first.
        stopped: why it ended.
        error: what the detector failed with, where what it said before is of use.
        source: what has seen the subsets that a search asked for, so that nobody asks again.
        search: the search that was used, for a method that has several.
        limit: the most passes that it was allowed; None for no limit.
        rounds: of passes that could each go to the detector at once.
        backward: how many scores of targets in images were traced back.
        backward_cost: what each of those counts for in `passes`.
    """

    passes: int
    maps: np.ndarray | None = None
    orders: Sequence[np.ndarray] | None = None
    stopped: StopReason = StopReason.FINISHED
    error: DetectorError | None = None
    source: Passes | None = None
    search: str = ""
    limit: int | None = None
    rounds: int = 0
    backward: int = 0
    backward_cost: float = 0.0

    @property
    def searched(self) -> bool:
        """Whether the orders come from what a search has seen."""
        return self.orders is not None and self.source is not None

    @property
    def forward(self) -> int:
        """How many images went through the detector."""
        return self.passes - math.ceil(self.backward * self.backward_cost)

    def orders_of(self, regions: Regions) -> list[np.ndarray]:
        """T of (m,): the orders, or the regions by the mean of a map, ties by region index."""
        if self.orders is not None:
            return list(self.orders)
        return [np.argsort(-means, kind="stable") for means in self.means_of(regions)]

    def means_of(self, regions: Regions) -> list[np.ndarray]:
        """T of (m,): the mean of each map over each region."""
        assert self.maps is not None, "a method gives orders or maps"
        return [region_means(values, regions.label_map) for values in self.maps]


@runtime_checkable
class Method(Protocol):
    """A frozen dataclass of a method's settings, with the paper's values as defaults.

    What it can be set to is checked when it is made, before any work.

    Attributes:
        name: that of the registry `vps.methods.METHODS`, or one of its own.
    """

    name: ClassVar[str]

    def planned_passes(self, problem: Problem) -> int:
        """The most passes that `attribute` makes where the budget has no limit."""
        ...

    def with_passes(self, passes: int) -> Method:
        """The same method set to make use of so many passes, for comparisons at equal expense."""
        ...

    def attribute(self, problem: Problem, budget: Budget, seed: int) -> Attribution:
        """Attribute the targets of a problem to its regions.

        Args:
            problem: what is asked.
            budget: what it may cost; its passes are never exceeded.
            seed: of all that is drawn at random; the same seed gives the same answer.

        Raises:
            InputError: a budget that it cannot begin with.
            DetectorError: the detector fails or breaks its contract.
            Stopped: the time is over, or it was cancelled, before there was anything to answer.
        """
        ...


class RegisteredMethod(Method, Protocol):
    """A method of the registry, which can be listed.

    Attributes:
        family: what it does.
        needs: what a detector must have beside `vps.core.detector.Detector`, in words; "" for
            nothing.
    """

    family: ClassVar[MethodFamily]
    needs: ClassVar[str]


@runtime_checkable
class RepairSearch(Protocol):
    """A method that looks in its own way for what to hide; others hide along their maps."""

    def look_for_repair(
        self, problem: Problem, source: Passes, goal: Goal, budget: Budget, seed: int
    ) -> int | None:
        """Show subsets of regions, one of which may attain a goal with little hidden.

        Args:
            problem: of the failure.
            source: what shows them.
            goal: what is to be attained.
            budget: its passes are the most for all together.
            seed: of all that is drawn at random.

        Returns:
            The fewest regions whose hiding attains the goal, where that is certain.

        Raises:
            DetectorError: the detector fails or breaks its contract.
            KeyboardInterrupt: Ctrl-C.
        """
        ...

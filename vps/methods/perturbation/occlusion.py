"""Occlusion: a window of the fill slides over the image, and how far the score falls under it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.core.regions import Regions
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.perturbation.subsets import ShownSubsets
from vps.methods.protocol import Attribution, MethodFamily

_MOST_WINDOWS = 200  # along a side


@dataclass(frozen=True)
class Occlusion:
    """Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.

        map(u) = mean over the windows W that cover pixel u of s(V) - s(V - W)

    Windows are rectangles of the image's shape. They stand evenly from edge to edge, at most a
    stride apart, so that every pixel is under one. The fill is the problem's, where the paper has
    grey.

    The cost is one pass a window and one for the whole image, for all targets together.

    Attributes:
        window: a side of the window, as a share of the image's, in (0, 1].
        stride: from one window to the next, as a share likewise, in (0, window].

    Raises:
        InputError: a share out of range, or more than 200 windows along a side.
    """

    name: ClassVar[str] = "occlusion"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    window: float = 0.2
    stride: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.window <= 1:
            raise InputError(f"window must be a share of the image in (0, 1], got {self.window}")
        if not 0 < self.stride <= self.window:
            raise InputError(
                f"stride must be in (0, window], or pixels are left out; got {self.stride} with "
                f"windows of {self.window}"
            )
        if self.stride < 1 / _MOST_WINDOWS / 10 or self._along_a_side > _MOST_WINDOWS:
            raise InputError(
                f"{self._along_a_side} windows along a side are too many, the most are "
                f"{_MOST_WINDOWS}: set a larger stride"
            )

    @property
    def _along_a_side(self) -> int:
        # A quotient that is whole but for rounding is whole.
        return math.ceil((1 - self.window) / self.stride - 1e-9) + 1

    def planned_passes(self, problem: Problem) -> int:
        """The windows, and a look at the whole image."""
        height, width = problem.regions.label_map.shape
        return len(self._windows(height)) * len(self._windows(width)) + 1

    def with_passes(self, passes: int) -> Occlusion:
        """As small a stride as they are enough for; larger windows where these would not meet."""
        along = min(max(math.isqrt(max(passes - 1, 1)), 1), _MOST_WINDOWS)
        window = max(self.window, 1 / along)
        stride = window if along == 1 else min((1 - window) / (along - 1), window)
        return dataclasses.replace(self, window=window, stride=stride or window)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        planned = self.planned_passes(problem)
        cells, under = self._cells(problem)
        shown = ShownSubsets(
            dataclasses.replace(problem, regions=cells),
            self.name,
            budget,
            wanted=planned,
            least=planned,
            why=f"the whole image and {planned - 1} windows: set a larger stride",
        )
        # In random order, what has been seen when it ends early is not the image's upper part.
        under = under[np.random.default_rng(seed).permutation(len(under))]
        keep = np.concatenate([np.ones((1, cells.count), bool), ~under])
        known = shown.show(keep, least=2)
        scores = shown.scores(keep[:known])
        covers = under[: known - 1]
        times = covers.sum(axis=0)
        values = (scores[0] - scores[1:]).T @ covers
        values = np.divide(values, times, out=np.full(values.shape, np.nan), where=times > 0)
        # What was shown are subsets of cells, of no use to who asks about regions.
        return dataclasses.replace(shown.attribution(values), source=None)

    def _windows(self, length: int) -> list[tuple[int, int]]:
        """First and last pixel, this excluded, of each window along a side."""
        side = min(math.ceil(self.window * length - 1e-9), length)
        starts = np.linspace(0, length - side, self._along_a_side).round().astype(int)
        return [(start, start + side) for start in dict.fromkeys(starts.tolist())]

    def _cells(self, problem: Problem) -> tuple[Regions, np.ndarray]:
        """What the edges of all windows cut the image into, c cells, and (K, c) the windows."""
        inside, counts, numbers = [], [], []
        for length in problem.regions.label_map.shape:
            windows = np.array(self._windows(length))
            edges = np.unique(windows)
            first = edges[:-1]
            inside.append((windows[:, :1] <= first) & (first < windows[:, 1:]))
            counts.append(len(first))
            numbers.append(np.searchsorted(edges, np.arange(length), side="right") - 1)
        rows, columns = inside
        under = (rows[:, None, :, None] & columns[None, :, None, :]).reshape(-1, math.prod(counts))
        labels = numbers[0][:, None] * counts[1] + numbers[1]
        return Regions(labels, "windows"), under

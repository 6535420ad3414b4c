"""Images seen through soft masks, as many as a budget lets, and how like the targets they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vps.core.masking import make_fill
from vps.engine.budget import Budget, Progress, Stopped, StopReason, ending
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
from vps.methods.perturbation.similarity import Compared, Similarity
from vps.methods.protocol import Attribution


class SeenThrough(NamedTuple):
    """A batch of B masks and what they came to.

    Attributes:
        numbers: of the masks.
        masks: (B, h, w) in [0, 1]; 1 shows a pixel.
        weights: (B, T) float32, the similarity with each target.
    """

    numbers: range
    masks: Tensor
    weights: Tensor


class MaskedPasses:
    """What methods share that weigh masks by the `Similarity` of what is found through them.

    One pass for the whole image is set aside, which a target of the detector's own needs.

    Args:
        problem: what is asked.
        method: what errors call the method.
        budget: what it may cost.
        wanted: how many masks there are.
        least: how many the method cannot do without.
        why: what they are for, as a part of an error.
        objectness, compared: see `vps.methods.perturbation.similarity.Similarity`.

    Attributes:
        masks: how many of them the budget is enough for.
        done: how many were seen through.

    Raises:
        InputError: too few passes for the least.
        DetectorError: the detector fails at the whole image.
    """

    def __init__(
        self,
        problem: Problem,
        method: str,
        budget: Budget | None,
        wanted: int,
        *,
        least: int = 1,
        why: str = "one mask at least",
        objectness: str = "auto",
        compared: Compared = "candidates",
    ) -> None:
        self._budget = (budget or Budget()).started()
        allowed = self._budget.passes
        self.masks = wanted if allowed is None else min(wanted, allowed - 1)
        if self.masks < least:
            raise InputError(
                f"a budget of {allowed} passes is too small for {method}: it looks at the whole "
                f"image and needs {why}"
            )
        self._limit = None if allowed is None else min(allowed, wanted + 1)
        self._stopped = StopReason.FINISHED if self.masks == wanted else StopReason.BUDGET
        self._error: DetectorError | None = None
        self._method, self._least, self._batch_size = method, least, problem.batch_size
        self._pixels = problem.pixels.contiguous()
        self._fill = make_fill(problem.fill, self._pixels)
        self._similarity = Similarity(problem, objectness, compared)
        self.done = 0

    def see(self, masks: Callable[[range], Tensor]) -> Iterator[SeenThrough]:
        """All masks in batches; what ends them early, Ctrl-C among it, is kept for `attribution`.

        Args:
            masks: from numbers to (B, h, w) in [0, 1], on the device of the pixels.

        Raises:
            DetectorError, Stopped, KeyboardInterrupt: before the least were seen through.
        """
        while self.done < self.masks:
            numbers = range(self.done, min(self.done + self._batch_size, self.masks))
            try:
                self._budget.check(len(numbers))
                shown = masks(numbers)
                images = torch.lerp(self._fill, self._pixels, shown[:, None])
                what = f"masks {numbers.start} to {numbers.stop - 1} of {self._method}"
                weights = self._similarity(images, what)
            except (Stopped, DetectorError, KeyboardInterrupt) as reason:
                if self.done < self._least:
                    raise
                self._stopped, self._error = ending(reason)
                return
            self.done = numbers.stop
            yield SeenThrough(numbers, shown, weights)
            self._budget.report(Progress(self._similarity.passes))

    def weights(self, masks: Callable[[range], Tensor]) -> Tensor:
        """(done, T) float64 on the CPU, those of all masks that were seen through."""
        return torch.cat([seen.weights.double().cpu() for seen in self.see(masks)])

    def attribution(self, maps: Tensor) -> Attribution:
        """Maps (T, h, w) with what they took."""
        return Attribution(
            self._similarity.passes,
            maps.float().cpu().numpy(),
            stopped=self._stopped,
            error=self._error,
            limit=self._limit,
        )

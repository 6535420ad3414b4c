"""Extremal perturbation: the smooth mask of a fixed area that keeps the score highest."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vps.core.masking import make_fill
from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget, Stopped, StopReason, ending
from vps.engine.gradients import BACKWARD_COST, GradientPasses
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
from vps.methods.gradient.attributed import asking, attributed
from vps.methods.perturbation.smooth_masks import SmoothMasks
from vps.methods.protocol import GRADIENTS, Attribution, MethodFamily

_STEPS = 800  # of the authors
_RATE = 0.01
_FASTEST = 0.1  # a larger rate overshoots
_MOMENTUM = 0.9
_AREA_WEIGHT = 300.0
_GROWTH = 1.0035  # of the weight, each of the authors' steps
_LEAST = 0.01  # score from which on its logarithm is straight


@dataclass(frozen=True)
class ExtremalPerturbation:
    """Fong, Patrick & Vedaldi, "Understanding Deep Networks via Extremal Perturbations and Smooth
    Masks", ICCV 2019.

        map = argmax over m of log(s / (1 - s)) of the image seen through m
              - lambda mean over u of (sort(m)_u - r_u)^2

    with r as many zeros as the mask is to hide pixels and ones for the rest, m a smooth mask
    (`vps.methods.perturbation.smooth_masks.SmoothMasks`), and lambda 300, growing. Gradient ascent
    from a mask that shows all. The area is that of the image; r has a margin of zeros beside it, so
    that showing its edges costs the same.

    What differs from the authors' code: where the mask is 0, pixels take the problem's fill, which
    they are mixed with, in place of a pyramid of blurs; images are not mirrored, since a mirrored
    target is another; and what a classifier's activation before the softmax is there, the logarithm
    of the odds of s is here, which has the same scale.

    The cost is a pass forward and one backward a step and target: a mask is one target's own.

    Attributes:
        area: the share of the image that the mask shows, in (0, 1).
        steps: of the ascent, at least 1. With fewer than 800 each goes further, as far as it can.
        budget: instead, the most passes: as many steps as they are enough for.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "extremal-perturbation"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = GRADIENTS

    area: float = 0.1
    steps: int = _STEPS
    budget: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.area < 1:
            raise InputError(f"area must be between 0 and 1, both excluded, got {self.area}")
        check_whole("steps", self.steps, 1, 10**6)
        if self.budget is not None:
            check_whole("budget", self.budget, 1, 10**9)

    def planned_passes(self, problem: Problem) -> int:
        """One forward and one backward a step and target."""
        return self.steps * self._each(problem) if self.budget is None else self.budget

    def with_passes(self, passes: int) -> ExtremalPerturbation:
        """They are its budget."""
        return dataclasses.replace(self, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        least = self._each(problem)
        source = asking(problem, self.name, budget, most=self.budget, least=least, what="one step")
        steps = self.steps
        if source.limit is not None:
            most = source.limit // least
            steps = most if self.budget is not None else min(steps, most)
        ascent = _Ascent(problem, source, self.area, steps)
        stopped = StopReason.FINISHED if steps == self.steps else StopReason.BUDGET
        error: DetectorError | None = None
        for number in range(steps):
            left = source.affordable(1)
            if left is not None and left < len(problem.targets):
                stopped = StopReason.BUDGET
                break
            try:
                ascent.step()
            except (Stopped, DetectorError, KeyboardInterrupt) as reason:
                if not number:
                    raise
                stopped, error = ending(reason)
                break
        return attributed(source, ascent.maps(), stopped, error)

    @staticmethod
    def _each(problem: Problem) -> int:
        """Passes that a step may take."""
        return int((1 + BACKWARD_COST) * len(problem.targets))


class _Ascent:
    """Gradient ascent on the masks of all targets at a time."""

    def __init__(self, problem: Problem, source: GradientPasses, area: float, steps: int) -> None:
        pixels = problem.pixels
        self._source, self._batch_size = source, problem.batch_size
        self._pixels, self._fill = pixels, make_fill(problem.fill, pixels)
        self._smooth = SmoothMasks((pixels.shape[1], pixels.shape[2]), pixels.device)
        shape = (len(problem.targets), *self._smooth.grid)
        self._parameters = torch.ones(shape, device=pixels.device, requires_grad=True)
        further = max(_STEPS / steps, 1.0)
        self._ascent = torch.optim.SGD(
            [self._parameters],
            lr=min(_RATE * further, _FASTEST),
            momentum=_MOMENTUM,
            dampening=_MOMENTUM,
            maximize=True,
        )
        self._weight, self._growth = _AREA_WEIGHT, _GROWTH**further
        every, inside = self._smooth.counts
        places = torch.arange(every, device=pixels.device)
        self._sorted = (places >= every - area * inside).float()

    def step(self) -> None:
        """One step of each mask; none where it fails in between."""
        with torch.enable_grad():
            points = self._smooth.points(self._parameters)
            masks = self._smooth.masks(points)
            images = torch.lerp(self._fill, self._pixels, masks[:, None])
            shape = points.flatten(1).sort(dim=1).values
            outside = ((shape - self._sorted) ** 2).mean(dim=1).sum()
        uphill = torch.cat(
            [self._uphill(images.detach(), part) for part in self._parts(len(images))]
        )
        self._ascent.zero_grad()
        torch.autograd.backward(
            [images, -self._weight * outside], [uphill, torch.ones_like(outside)]
        )
        self._ascent.step()
        with torch.no_grad():
            self._parameters.clamp_(0, 1)
        self._weight *= self._growth

    def maps(self) -> Tensor:
        """(T, h, w) the masks as they are now."""
        with torch.no_grad():
            return self._smooth.masks(self._smooth.points(self._parameters))

    def _parts(self, count: int) -> list[range]:
        size = self._batch_size
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def _uphill(self, images: Tensor, targets: range) -> Tensor:
        """(B, 3, h, w) gradients of the logarithm of the odds of targets in their own images."""
        scores, gradients = self._source.own_pixels(images[targets.start : targets.stop], targets)
        scores = scores.clamp(_LEAST, 1 - _LEAST)
        return gradients / (scores * (1 - scores))[:, None, None, None]

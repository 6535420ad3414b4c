"""What methods of gradients share: their cost before it is measured, and maps of pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vps.core.masking import make_fill
from vps.engine.budget import Budget, StopReason
from vps.engine.gradients import BACKWARD_COST, GradientPasses
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
from vps.methods.protocol import Attribution


def planned(problem: Problem, images: int) -> int:
    """The most passes for so many images forward, and back for each target."""
    return math.ceil(images * (1 + BACKWARD_COST * len(problem.targets)))


def asking(
    problem: Problem,
    method: str,
    budget: Budget | None,
    *,
    most: int | None = None,
    least: int | None = None,
    what: str = "one image and its gradients",
) -> GradientPasses:
    """What counts the passes of a method, if the budget lets it begin.

    Args:
        problem: what is asked.
        method: its name, for errors.
        budget: what it may cost.
        most: passes that the method itself is set to.
        least: passes that it cannot do without; by default those of one image.
        what: they are for, as an error tells it.

    Raises:
        InputError: the budget is too small for them, or the detector has no gradients.
    """
    budget = (budget or Budget()).started().at_most(most)
    source = GradientPasses(problem, method, budget)
    least = planned(problem, 1) if least is None else least
    if budget.passes is not None and budget.passes < least:
        raise InputError(
            f"a budget of {budget.passes} passes is too small for {method}: {what} may take {least}"
        )
    return source


def attributed(
    source: GradientPasses,
    maps: Tensor,
    stopped: StopReason = StopReason.FINISHED,
    error: DetectorError | None = None,
) -> Attribution:
    """Maps (T, h, w) with what they took."""
    return Attribution(
        source.passes,
        maps.float().cpu().numpy(),
        stopped=stopped,
        error=error,
        limit=source.limit,
        backward=source.backward,
        backward_cost=source.cost,
    )


def difference(problem: Problem) -> Tensor:
    """(3, h, w) the image less what hides it: what a gradient is multiplied by."""
    pixels = problem.pixels
    with torch.no_grad():
        return pixels - make_fill(problem.fill, pixels)

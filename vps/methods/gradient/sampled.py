"""The mean of gradients over several images, in batches within a budget."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vps.engine.budget import Stopped, StopReason, ending
from vps.engine.gradients import GradientPasses
from vps.engine.problem import Problem
from vps.errors import DetectorError
from vps.methods.gradient.attributed import attributed
from vps.methods.protocol import Attribution


def mean_gradients(
    source: GradientPasses,
    problem: Problem,
    images: Callable[[np.ndarray], Tensor],
    weights: np.ndarray,
    map_of: Callable[[Tensor], Tensor],
) -> Attribution:
    """Maps of the weighted mean of gradients at several images.

    What ends it early, Ctrl-C among it, keeps the mean of those until then.

    Args:
        source: what is asked, and counts.
        problem: of the targets; its batch size is kept.
        images: from the numbers of a batch to (B, 3, h, w).
        weights: (n,) of the images, positive; they come in this order.
        map_of: from the mean (T, 3, h, w) to maps (T, h, w).

    Raises:
        InputError, DetectorError, Stopped, KeyboardInterrupt: before anything was known.
    """
    total: Tensor | float = 0.0
    done, stopped = 0, StopReason.FINISHED
    error: DetectorError | None = None
    while done < len(weights):
        numbers = np.arange(done, min(done + problem.batch_size, len(weights)))
        left = source.affordable()
        if left is not None and left < len(numbers):
            numbers = numbers[:left]
        if not len(numbers):
            stopped = StopReason.BUDGET
            break
        try:
            _, gradients = source.pixels(images(numbers))
        except (Stopped, DetectorError, KeyboardInterrupt) as reason:
            if not done:
                raise
            stopped, error = ending(reason)
            break
        shares = torch.from_numpy(weights[numbers]).to(gradients.device, torch.float64)
        total = total + torch.einsum("tbchw,b->tchw", gradients.double(), shares)
        done += len(numbers)
    assert isinstance(total, Tensor), "a budget lets one image begin"
    mean = (total / float(weights[:done].sum())).float()
    return attributed(source, map_of(mean), stopped, error)

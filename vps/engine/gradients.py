"""Images through a detector and back: gradients of targets' scores, counted and checked."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from vps.core.asking import failures_of
from vps.core.detector import DifferentiableDetector, FeatureLayer
from vps.engine.budget import Budget, Progress
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError

BACKWARD_COST = 2.0
"""What a backward pass counts for in plans, and where it cannot be measured, in forward passes."""


class LayerGradients(NamedTuple):
    """What a layer says of a batch of B images, and what T targets' scores say of it.

    Attributes:
        features: (B, C, h', w'), on the layer's grid.
        gradients: (T, B, C, h', w') of each target's s with respect to `features`.
    """

    features: Tensor
    gradients: Tensor


class GradientPasses:
    """Asks a differentiable detector for scores and gradients, and counts what it takes.

    A forward pass is an image through the detector; a backward pass is the score of one target in
    one image traced back. What a backward pass costs is measured once, with the first batch, as
    the floating point operations of both (`torch.utils.flop_counter`): it does not depend on how
    busy the machine is, so that a budget gives the same answer each time. Convolutions,
    multiplications of matrices and attention count.

    No parameter is touched: see `vps.core.detector.DifferentiableDetector`.

    Args:
        problem: what is asked.
        method: the name of who asks, for errors.
        budget: obeyed before each batch.

    Attributes:
        forward: images that went through the detector.
        backward: images x targets that were traced back.
        cost: of a backward pass, in forward passes.

    Raises:
        InputError: the detector has no gradients.
    """

    def __init__(self, problem: Problem, method: str, budget: Budget) -> None:
        self.forward = self.backward = 0
        self.cost = BACKWARD_COST
        self._problem, self._method, self._budget = problem, method, budget
        self._detector = differentiable(problem, method)

    @property
    def passes(self) -> int:
        """All of them in forward passes, rounded up."""
        return self.forward + math.ceil(self.backward * self.cost)

    @property
    def limit(self) -> int | None:
        """The most of them."""
        return self._budget.passes

    def affordable(self, targets: int | None = None) -> int | None:
        """How many more images the budget lets go forward, and back for so many targets; None: any.

        Args:
            targets: for which each is traced back; all of them by default.
        """
        if self._budget.passes is None:
            return None
        each = 1 + self.cost * (len(self._problem.targets) if targets is None else targets)
        return max(0, math.floor((self._budget.passes - self.passes) / each))

    def pixels(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores, and their gradients with respect to the pixels.

        Args:
            images: (B, 3, h, w) on the detector's grid; not changed.

        Returns:
            (B, T) and (T, B, 3, h, w), float32.

        Raises:
            InputError: the detector keeps no gradients of these pixels.
            DetectorError: it fails, or a gradient is NaN or infinite.
            Stopped: the budget is over.
        """
        asked = images.detach().clone().requires_grad_()
        scores = self._scores(asked)
        return scores.detach(), self._back(scores, [asked])[0]

    def own_pixels(self, images: Tensor, targets: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Scores of one target in each image, and their gradients with respect to its pixels.

        Args:
            images: (B, 3, h, w) on the detector's grid; not changed.
            targets: B numbers, of the target that each is asked about.

        Returns:
            (B,) and (B, 3, h, w), float32.

        Raises:
            InputError, DetectorError, Stopped: as for `pixels`.
        """
        asked = images.detach().clone().requires_grad_()
        scores = self._scores(asked)[torch.arange(len(images)), torch.tensor(targets)]
        return scores.detach(), self._back(scores[:, None], [asked])[0][0]

    def layers(
        self, images: Tensor, layers: Sequence[FeatureLayer]
    ) -> tuple[Tensor, list[LayerGradients]]:
        """Scores, and their gradients with respect to the features of some layers.

        A layer that runs several times in a forward pass (a detector that asks several prompts
        about one image) has the features of the first time, and the sum of the gradients.

        Raises:
            InputError: as for `pixels`, or a layer that did not run.
            DetectorError, Stopped: as for `pixels`.
        """
        asked = images.detach().clone().requires_grad_()
        with _outputs_of([layer.module for layer in layers]) as outputs:
            scores = self._scores(asked)
        picked = [
            [layer.pick(output) for output in found]
            for layer, found in zip(layers, outputs, strict=True)
        ]
        if not all(picked):
            raise InputError(
                f"{self._detector.name}: a layer that {self._method} looks at did not run"
            )
        flat = [output for found in picked for output in found]
        gradients = iter(self._back(scores, flat))
        grid = (images.shape[-2], images.shape[-1])
        told = []
        for layer, found in zip(layers, picked, strict=True):
            back = torch.stack([next(gradients) for _ in found]).sum(dim=0)
            told.append(
                LayerGradients(
                    layer.grid(found[0].detach(), grid),
                    torch.stack([layer.grid(of_target, grid) for of_target in back]),
                )
            )
        return scores.detach(), told

    def _scores(self, images: Tensor) -> Tensor:
        """(B, T), with the graph."""
        self._budget.check(len(images))
        problem = self._problem
        with torch.enable_grad(), failures_of(self._detector, f"the scores for {self._method}"):
            # Of the first images, what a pass costs is counted on the way.
            with _counting(not self.forward) as counter:
                scores = self._detector.scores(images, problem.size, problem.targets, problem.mode)
            if counter is not None:
                self._operations = counter.get_total_flops()
        self.forward += len(images)
        wanted = (len(images), len(problem.targets))
        if scores.shape != wanted or not bool(scores.isfinite().all()):
            raise DetectorError(
                f"{self._detector.name}: scores must be finite and {wanted}, got "
                f"{tuple(scores.shape)}"
            )
        if not scores.requires_grad and not bool(scores.any()):
            # Without a candidate there is nothing to trace back: the gradient is 0.
            scores = scores + 0 * images.flatten(1).sum(dim=1, keepdim=True)
        if not scores.requires_grad:
            raise _without_gradients(self._detector.name, self._method)
        return scores

    def _back(self, scores: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
        """One (T, *shape) for each input, of zeros where the score does not depend on it."""
        first = not self.backward
        found: list[tuple[Tensor, ...]] = []
        last = scores.shape[1] - 1
        for number in range(scores.shape[1]):
            with (
                failures_of(self._detector, f"the gradients for {self._method}"),
                _counting(first and not number) as counter,
            ):
                found.append(
                    torch.autograd.grad(
                        scores[:, number].sum(),
                        list(inputs),
                        retain_graph=number < last,
                        allow_unused=True,
                        materialize_grads=True,
                    )
                )
            if counter is not None and self._operations:
                operations = counter.get_total_flops()
                self.cost = operations / self._operations if operations else BACKWARD_COST
        self.backward += scores.numel()
        stacked = [torch.stack(gradients) for gradients in zip(*found, strict=True)]
        if not all(bool(gradients.isfinite().all()) for gradients in stacked):
            raise DetectorError(f"{self._detector.name}: gradients are NaN or infinite")
        self._budget.report(Progress(self.passes))
        return stacked


def differentiable(problem: Problem, method: str) -> DifferentiableDetector:
    """What gives the gradients of a problem's targets.

    Raises:
        InputError: its detector has none.
    """
    asked = problem.scorer or problem.detector
    if not isinstance(asked, DifferentiableDetector):
        raise _without_gradients(problem.detector.name, method)
    return asked


def _without_gradients(name: str, method: str) -> InputError:
    return InputError(
        f"{method} needs gradients, and {name} gives none: take a method that does not (`vps "
        "methods` tells), or a detector that runs in torch (an ONNX file: with the option "
        "backend=torch)"
    )


def _counting(wanted: bool) -> AbstractContextManager[Any]:
    """Counts the operations within, if wanted."""
    if not wanted:
        return nullcontext()
    from torch.utils.flop_counter import FlopCounterMode  # 50 MiB, with triton

    return FlopCounterMode(display=False)


@contextmanager
def _outputs_of(modules: Sequence[nn.Module]) -> Iterator[list[list[Any]]]:
    """What modules give within the block, in this thread, one list a module."""
    outputs: list[list[Any]] = [[] for _ in modules]
    thread = threading.get_ident()

    def listen(found: list[Any]) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if threading.get_ident() == thread:
                found.append(output)

        return hook

    hooks = []
    try:
        for module, found in zip(modules, outputs, strict=True):
            hooks.append(cast(nn.Module, module).register_forward_hook(listen(found)))
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()

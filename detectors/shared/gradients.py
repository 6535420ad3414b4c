"""Gradients from scores back to pixels, for adapters whose model is one of torch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import batch_norm
from torch.overrides import TorchFunctionMode

from vps.core.asking import candidates
from vps.core.scoring import target_scores
from vps.core.targets import Target

_Asking = TypeVar("_Asking", bound=Callable[..., Any])


def keeps_gradients(ask: _Asking) -> _Asking:
    """Of a method whose first argument is pixels: keep the graph where these ask for gradients.

    Without, nothing is kept, as under `torch.no_grad`: that is how the engine asks.
    """
    return _keeping(ask, Sound)


def keeps_whole_gradients(ask: _Asking) -> _Asking:
    """`keeps_gradients` of a method that runs a library's model, also where the model detaches.

    Decoders detach the boxes that they refine layer by layer, and R-CNNs their proposals, because
    training is more stable without that path. The scores depend on it all the same, so that a
    gradient without it is not theirs.
    """
    return _keeping(ask, Attached)


def _keeping(ask: _Asking, around: Callable[[], Any]) -> _Asking:
    @functools.wraps(ask)
    def asked(self: Any, pixels: Tensor, *others: Any, **named: Any) -> Any:
        if torch.is_grad_enabled() and pixels.requires_grad:
            with around():
                return ask(self, pixels, *others, **named)
        with torch.no_grad():
            return ask(self, pixels, *others, **named)

    return asked  # type: ignore[return-value]


class Sound(TorchFunctionMode):
    """Within it, and within its thread, batch norms have the right gradient.

    On the CPU, torch (2.11 at least) gives a wrong one to a batch norm in evaluation mode where
    the gradient that comes back is laid out with channels last and its input is not, as behind
    maps that became tokens.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if func in (batch_norm, torch.batch_norm) and output.requires_grad:
            output.register_hook(functools.partial(_laid_out, output.stride()))
        return output


class Attached(Sound):
    """Within it, and within its thread, `detach` leaves tensors in their graph, too."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.Tensor.detach, torch.detach):
            return args[0]
        if func in (torch.Tensor.numpy, torch.Tensor.__array__):
            # What is detached for numpy never comes back.
            args = (args[0].detach(), *args[1:])
        return super().__torch_function__(func, types, args, kwargs)


def _laid_out(strides: tuple[int, ...], gradient: Tensor) -> Tensor:
    """A gradient with the strides of what it is the gradient of."""
    laid = gradient.new_empty_strided(gradient.shape, strides)
    return laid.copy_(gradient)


class Differentiable:
    """What makes a `vps.core.detector.DifferentiableDetector` of an adapter whose `detect`
    `keeps_gradients`."""

    def scores(
        self: Any,
        pixels: Tensor,
        size: tuple[int, int],
        targets: Sequence[Target],
        mode: str = "object",
    ) -> Tensor:
        """s of targets; see `vps.core.detector.DifferentiableDetector.scores`."""
        return target_scores(candidates(self, pixels, size), targets, mode)

"""Gradients from scores back to pixels, for adapters whose model is one of torch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from vps.core.asking import candidates
from vps.core.scoring import target_scores
from vps.core.targets import Target

_Asking = TypeVar("_Asking", bound=Callable[..., Any])


def keeps_gradients(ask: _Asking) -> _Asking:
    """Of a method whose first argument is pixels: keep the graph where these ask for gradients.

    Without, nothing is kept, as under `torch.no_grad`: that is how the engine asks.
    """

    @functools.wraps(ask)
    def asked(self: Any, pixels: Tensor, *others: Any, **named: Any) -> Any:
        with torch.set_grad_enabled(torch.is_grad_enabled() and pixels.requires_grad):
            return ask(self, pixels, *others, **named)

    return asked  # type: ignore[return-value]


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

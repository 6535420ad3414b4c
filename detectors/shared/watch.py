"""NaN in what a model chooses its candidates by, which the candidates themselves do not show."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vps.errors import DetectorError


class ChoiceWatch:
    """Looks at the numbers by which a model chooses queries or proposals, in one forward pass.

    Where they are NaN, a model drops its candidates without a word, or takes any, with boxes and
    scores that look well. Here they make the scores NaN instead, which `Candidates` refuses by the
    one look that it takes at the device anyway.
    """

    def __init__(self) -> None:
        self._fine: list[Tensor] = []

    def see(self, values: Any) -> None:
        """Look at a tensor or any nesting of them; -inf is how a model masks, and fine."""
        self._fine += [(values < torch.inf).all() for values in _tensors(values)]

    def watched(self, module: nn.Module) -> Any:
        """A copy of a module that shares its weights, and of whose outputs each is looked at."""

        def look(_module: nn.Module, _inputs: Any, outputs: Any) -> None:
            self._fine += [values.isfinite().all() for values in _tensors(outputs)]

        twin = share(module)
        # Hooks of its own: the module may run in other threads.
        vars(twin)["_forward_hooks"] = module._forward_hooks.copy()
        twin.register_forward_hook(look)
        return twin

    def mark(self, scores: Tensor) -> Tensor:
        """The scores as they are, or all NaN if anything that was looked at is not fine.

        Raises:
            DetectorError: it is not, and there are no scores to mark.
        """
        if not self._fine:
            return scores
        fine = torch.stack(self._fine).all()
        if scores.numel() == 0 and not bool(fine):
            raise DetectorError("the detector chooses its candidates by NaN or infinite numbers")
        return scores.masked_fill(~fine, torch.nan)


def share(module: nn.Module) -> Any:
    """A copy with the same weights, hooks and submodules, and with attributes of its own."""
    twin = copy.copy(module)
    vars(twin)["_modules"] = dict(module._modules)
    return twin


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, Mapping):
        yield from _tensors(list(values.values()))

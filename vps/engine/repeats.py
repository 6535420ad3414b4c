"""Whether a detector says the same of an image each time that it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from vps.core.scoring import BestCandidates

_LEAST, _SHARE = 1e-3, 0.02  # by how much scores differ that are not the same up to rounding
_RANDOM = ("Dropout", "DropPath", "BatchNorm", "DropBlock")


class WholeImage:
    """What a detector says of the whole image, each time that passes of a problem show it.

    Two looks tell whether it is deterministic: scores s that differ by more than 0.001 and 2 % do
    so for another reason than the images that share their batch.
    """

    def __init__(self) -> None:
        self.looks = 0
        self._first: np.ndarray | None = None
        self._differing: tuple[float, float] | None = None

    def see(self, row: np.ndarray) -> None:
        """(T, COLUMNS), of the targets in the whole image; see `BestCandidates`."""
        scores = BestCandidates(row).score.copy()
        self.looks += 1
        if self._first is None:
            self._first = scores
        elif self._differing is None:
            both = np.maximum(self._first, scores)
            apart = np.abs(self._first - scores) - (_LEAST + _SHARE * both)
            most = int(apart.argmax())
            if apart[most] > 0:
                self._differing = float(self._first[most]), float(scores[most])

    def doubt(self, detector: Any) -> str | None:
        """What to tell of a detector that is not deterministic, and why it likely is so.

        None where it is, or was looked at once only.
        """
        if self._differing is None:
            return None
        one, other = self._differing
        found = next(_left_in_training(detector), None)
        cause = (
            "the likely cause is a module left in training mode (call model.eval()), dropout, or "
            "random resizing"
            if found is None
            else f"its layer {found} is in training mode: call model.eval()"
        )
        return (
            f"{detector.name} is not deterministic: of the same image, the target scored {one:.3g} "
            f"at one look and {other:.3g} at another, so this explanation is chance in part; "
            f"{cause}"
        )


def _left_in_training(detector: Any) -> Iterator[str]:
    """The layers of a detector's modules that draw at random, or look at their batch."""
    for module in _modules(detector, depth=2):
        for name, part in module.named_modules():
            kind = type(part).__name__
            if part.training and any(word in kind for word in _RANDOM):
                yield f"{name} ({kind})" if name else kind


def _modules(owner: Any, depth: int) -> Iterator[nn.Module]:
    """The modules of torch that an object holds, or that what it holds does."""
    for value in list(getattr(owner, "__dict__", {}).values()):
        if isinstance(value, nn.Module):
            yield value
        elif depth > 1 and not isinstance(value, type):
            yield from _modules(value, depth - 1)

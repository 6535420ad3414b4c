"""The order of the colours that a detector was made for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors.shared.gradients import Differentiable
from vps.core.candidates import Candidates
from vps.core.detector import Detector, DifferentiableDetector, FeatureDetector, FeatureLayer

ORDERS = {"rgb": False, "bgr": True}
_CLEARLY = (1.1, 0.05)  # by which factor and by how much another order scores higher
_TRIES = 3  # images with nothing in them, until the question is dropped


class ChannelOrder:
    """A detector that gets its colours in the other order, or of which that is doubted.

    Args:
        detector: what detects.
        swap: whether it gets BGR. If not, the first image is shown both ways, in a pass more that
            nothing counts; where BGR scores clearly higher, a UserWarning asks.
    """

    def __init__(self, detector: Detector, *, swap: bool) -> None:
        self.name = f"{detector.name} (bgr)" if swap else detector.name
        self.labels = detector.labels
        self.device = detector.device
        self.inner: Any = detector
        self._swap = swap
        self._tries = 0 if swap else _TRIES

    def prepare(self, image: np.ndarray) -> Tensor:
        """RGB, whatever the detector gets; see `vps.core.detector.Detector.prepare`."""
        return self.inner.prepare(image)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """What the detector finds; see `vps.core.detector.Detector.detect`."""
        found = self.inner.detect(pixels.flip(1) if self._swap else pixels, size)
        if self._tries:
            self._doubt(pixels, size, found)
        return found

    def __getattr__(self, name: str) -> Any:
        # What an adapter has beyond a detector, e.g. its model; but what asks it, asks it here.
        if name in ("inner", "scores", "feature_layers"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    @torch.no_grad()
    def _doubt(self, pixels: Tensor, size: tuple[int, int], found: Candidates) -> None:
        first = pixels[:1]
        if torch.equal(first[:, 0], first[:, 2]):  # Grey: the order is none.
            return
        self._tries -= 1
        here = float(found.scores[0].max()) if found.scores.numel() else 0.0
        other = self.inner.detect(first.flip(1), size).scores
        there = float(other.max()) if other.numel() else 0.0
        factor, least = _CLEARLY
        if max(here, there) >= least:
            self._tries = 0
        if there > here * factor and there > here + least:
            warnings.warn(
                f"{self.name}: with red and blue exchanged, the highest score in this image is "
                f"{there:.2f} and not {here:.2f}; if it was made for BGR, as OpenCV reads images, "
                "say channels='bgr', and else channels='rgb'",
                stacklevel=3,
            )


class DifferentiableOrder(Differentiable, ChannelOrder):
    """A `ChannelOrder` of a `DifferentiableDetector`."""


class FeatureOrder(DifferentiableOrder):
    """A `ChannelOrder` of a `FeatureDetector`, whose layers are its own."""

    def feature_layers(self) -> Mapping[str, FeatureLayer]:
        """Those of the detector; see `vps.core.detector.FeatureDetector`."""
        layers: Mapping[str, FeatureLayer] = self.inner.feature_layers()
        return layers


def in_order(detector: Detector, *, swap: bool) -> ChannelOrder:
    """A `ChannelOrder` that can do what its detector can."""
    if isinstance(detector, FeatureDetector):
        return FeatureOrder(detector, swap=swap)
    if isinstance(detector, DifferentiableDetector):
        return DifferentiableOrder(detector, swap=swap)
    return ChannelOrder(detector, swap=swap)

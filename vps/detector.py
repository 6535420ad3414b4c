"""What a detector owes the engine: the whole contract of an adapter, on one page."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from vps.types import Detections


@runtime_checkable
class Detector(Protocol):
    """Maps batches of pixels to all candidate boxes with all label scores.

    Attributes:
        name: what reports and results call this detector.
        labels: the names of the score columns, in order.
        device: where `prepare` puts pixels and `detect` expects them.
    """

    name: str
    labels: tuple[str, ...]
    device: torch.device

    def prepare(self, image: np.ndarray) -> Tensor:
        """What the model sees of an image, at its own resolution and not yet normalised.

        Regions live on this grid and masking happens on it, so that the fill is a colour. Padding
        and normalisation belong into `detect`.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            (3, h, w) float32 RGB in [0, 1] on `device`.
        """
        ...

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Detections:
        """All candidates, before score threshold and NMS, of a batch of (masked) images.

        Args:
            pixels: (B, 3, h, w) float32 RGB in [0, 1] on `device`; must be neither changed in place
                nor kept: the engine uses the buffer again.
            size: (H, W) of the original image.

        Returns:
            Detections of B images, boxes in pixels of the original image. The scores of an image
            do not depend on the others in the batch, beyond float noise.
        """
        ...


@runtime_checkable
class OpenVocabularyDetector(Detector, Protocol):
    """A detector whose labels the user chooses."""

    def with_labels(self, labels: tuple[str, ...]) -> OpenVocabularyDetector:
        """The same model, asked for other labels; shares the weights.

        Raises:
            InputError: no labels, or more text than the model can read.
        """
        ...

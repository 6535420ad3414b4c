"""A detector out of any callable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from detectors.shared.gradients import Differentiable, keeps_gradients
from detectors.shared.labels import numbered_labels
from detectors.shared.pixels import (
    check_batch,
    check_given_size,
    choose_device,
    scale_boxes,
    to_pixels,
)
from vps.core.candidates import Candidates
from vps.errors import DetectorError

Array = Tensor | np.ndarray
Function = Callable[[Tensor], tuple[Array, Array]]


class FunctionDetector(Differentiable):
    """Wraps a function that maps a batch of images to boxes and scores.

    The function receives float32 RGB pixels (B, 3, h, w) in [0, 1], which it must not change in
    place, and returns, as torch tensors or numpy arrays,

        boxes   (B, N, 4), xyxy, in pixels of the grid (h, w) that it was given
        scores  (B, N, L) in [0, 1], one column a label

    with all candidates, before score threshold and NMS. Gradients of tensors in a graph reach the
    pixels, where pixels ask for them; otherwise it is called without.

    Args:
        function: as above.
        labels: the L names, in the order of the columns.
        name: what reports call the detector.
        size: (h, w) to which every image is resized; without it, images keep their own size.
        device: where the function wants its pixels.

    Raises:
        InputError: no or repeated labels, a size that is not two positive numbers, or a device
            that is not there.
    """

    def __init__(
        self,
        function: Function,
        labels: Sequence[str],
        *,
        name: str = "function",
        size: tuple[int, int] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.labels = tuple(numbered_labels(labels).values())
        check_given_size(size)
        self.name = name
        self.device = choose_device(device)
        self._function = function
        self._size = size

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at `size`, or at its own; see `vps.core.detector.Detector.prepare`."""
        height, width = self._size or image.shape[:2]
        return to_pixels(image, (height, width), self.device)

    @keeps_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """What the function finds; see `vps.core.detector.Detector.detect`.

        Raises:
            DetectorError: the function did not return boxes and scores for these images.
        """
        grid = check_batch(pixels)
        result = self._function(pixels)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise DetectorError(
                f"the function of {self.name!r} must return (boxes, scores), "
                f"got {type(result).__name__}"
            )
        boxes, scores = (self._tensor(values) for values in result)
        if boxes.ndim != 3 or len(boxes) != len(pixels):
            raise DetectorError(
                f"the function of {self.name!r} was given {len(pixels)} images and returned boxes "
                f"of shape {tuple(boxes.shape)}; expected ({len(pixels)}, N, 4)"
            )
        return Candidates(scale_boxes(boxes, grid, size), scores, self.labels)

    def _tensor(self, values: Array) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

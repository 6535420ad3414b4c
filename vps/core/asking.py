"""A detector, an image or a batch of them handed to it, and its answer, each checked once.

What a detector raises, or gives against its contract, is its failure, and is told by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.detector import Detector
from vps.errors import DetectorError, InputError, VpsError, one_line, quoted

_SLACK = 0.5  # by which resampling may leave [0, 1]; normalised pixels leave it by more


def check_detector(detector: object) -> None:
    """Raise InputError for what lacks a part of `vps.core.detector.Detector`."""
    if isinstance(detector, type) or not isinstance(detector, Detector):
        raise InputError(
            f"{quoted(detector)} is no detector: one has name, labels, device, prepare and detect; "
            "detectors.wrap and detectors.function make one of a model"
        )
    labels = detector.labels
    if not isinstance(labels, (tuple, list)) or not all(isinstance(one, str) for one in labels):
        raise InputError(f"labels of a detector are a tuple of texts, got {quoted(labels)}")
    if not isinstance(detector.name, str):
        raise InputError(f"the name of a detector is a text, got {quoted(detector.name)}")


def prepared(detector: Detector, image: np.ndarray) -> Tensor:
    """(3, h, w) float32 RGB in [0, 1], what a detector sees of an image.

    Args:
        detector: as `check_detector` wants it.
        image: (H, W, 3) uint8 RGB.

    Raises:
        InputError: the detector has no use for such an image, and says so.
        DetectorError: it fails, or gives something else.
    """
    with failures_of(detector, "preparing an image"):
        pixels = detector.prepare(image)
    check_pixels(detector, pixels)
    low, high = (float(end) for end in torch.aminmax(pixels))
    # NaN fails comparisons.
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise DetectorError(
            f"{detector.name}: prepare must give pixels in [0, 1], not yet normalised; got "
            f"{low:.4g} to {high:.4g}"
        )
    return pixels


def check_pixels(detector: Detector, pixels: Tensor) -> None:
    """Raise DetectorError for pixels of another shape or type than `prepare` owes."""
    if isinstance(pixels, Tensor):
        what = f"{pixels.dtype} {tuple(pixels.shape)}"
        shaped = pixels.ndim == 3 and len(pixels) == 3 and pixels.numel() > 0
        if shaped and pixels.dtype == torch.float32:
            return
    else:
        what = quoted(pixels)
    raise DetectorError(f"{detector.name}: prepare must give float32 (3, h, w), got {what}")


def candidates(detector: Detector, images: Tensor, size: tuple[int, int]) -> Candidates:
    """What a detector says of a batch, its boxes cut off at the borders of the image.

    Args:
        detector: what is asked.
        images: (B, 3, h, w) float32 RGB in [0, 1], as `prepared` gives them.
        size: (H, W) of the original image, one for all.

    Raises:
        DetectorError: answers to another number of images, or of other labels than its own.
        Exception: whatever the detector raises, see `failures_of`.
    """
    found = detector.detect(images, size)
    if not isinstance(found, Candidates):
        what = quoted(found)
        raise DetectorError(f"{detector.name}: detect must give vps.Candidates, got {what}")
    if len(found) != len(images):
        raise DetectorError(f"{len(images)} images went in, {len(found)} came out")
    if tuple(found.labels) != tuple(detector.labels):
        raise DetectorError("the columns are not the detector's labels")
    return found.within(size)


@contextmanager
def failures_of(detector: Detector, doing: str) -> Iterator[None]:
    """Whatever is raised within becomes a DetectorError, but for errors of our own."""
    try:
        yield
    except VpsError:
        raise
    except Exception as error:
        raise DetectorError(f"{detector.name}: {doing} failed: {one_line(error)}") from error

"""What every adapter must hold to; each adapter's tests call `check_contract`."""

from __future__ import annotations

import numpy as np
import torch

from vps.detector import Detector

SIZES = ((48, 64), (70, 40))


def picture(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A smooth (H, W, 3) uint8 image with some blocks in it, the same for the same seed."""
    random = np.random.default_rng(seed)
    height, width = size
    ramp = np.linspace(0, 120, width)[None, :, None] + np.linspace(0, 60, height)[:, None, None]
    image = np.broadcast_to(ramp, (height, width, 3)).copy()
    for _ in range(4):
        y, x = random.integers(height // 2), random.integers(width // 2)
        image[y : y + height // 3, x : x + width // 3] = random.integers(0, 256, 3)
    return image.clip(0, 255).astype(np.uint8)


def check_contract(detector: Detector, tolerance: float = 1e-4) -> None:
    """Check an adapter on images of two sizes; `tolerance` is for scores, and boxes in pixels."""
    assert isinstance(detector, Detector)
    assert detector.name
    assert len(set(detector.labels)) == len(detector.labels) > 0
    for size in SIZES:
        image = picture(size)
        pixels = _check_prepare(detector, image)
        batch = torch.stack([pixels, pixels.flip(-1), torch.full_like(pixels, 0.5)])
        _check_detect(detector, batch, size, tolerance)


def _check_prepare(detector: Detector, image: np.ndarray) -> torch.Tensor:
    before = image.copy()
    pixels = detector.prepare(image)
    assert (image == before).all()
    assert pixels.ndim == 3
    assert pixels.shape[0] == 3
    assert pixels.dtype == torch.float32
    assert pixels.device.type == detector.device.type
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    # Neither normalised nor BGR nor padded: the mean colour stays what it was.
    colour = torch.from_numpy(image.reshape(-1, 3).mean(0) / 255).float()
    assert torch.allclose(pixels.mean((1, 2)).cpu(), colour, atol=0.03)
    assert torch.equal(pixels, detector.prepare(image))
    return pixels


def _check_detect(
    detector: Detector, batch: torch.Tensor, size: tuple[int, int], tolerance: float
) -> None:
    before = batch.clone()
    found = detector.detect(batch, size)
    assert torch.equal(batch, before)
    assert found.labels == detector.labels
    assert len(found) == len(batch)
    assert found.boxes.shape[1] > 0
    assert found.boxes.dtype.is_floating_point
    assert found.scores.dtype == torch.float32
    assert not found.scores.requires_grad
    for row, image in enumerate(batch):
        alone = detector.detect(image[None], size)
        assert torch.allclose(alone.boxes[0], found.boxes[row], atol=tolerance * max(size))
        assert torch.allclose(alone.scores[0], found.scores[row], atol=tolerance)
    # Boxes are in pixels of the original image, so they grow with it.
    doubled = detector.detect(batch, (2 * size[0], 3 * size[1]))
    growth = torch.tensor([3.0, 2.0, 3.0, 2.0], device=found.boxes.device)
    assert torch.allclose(doubled.boxes, found.boxes * growth, rtol=1e-4, atol=1e-3)
    assert torch.equal(doubled.scores, found.scores)

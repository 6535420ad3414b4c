"""What every adapter must hold to; `test_contract.py` runs it on all cases of the zoo."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.ops import batched_nms

from tests.models.zoo import Own, Reduction
from vps.core.boxes import clipped
from vps.core.candidates import Candidates
from vps.core.detector import Detector

SIZES = ((48, 64), (70, 40))
PLAIN = (int, float, str, bool, dict, tuple, list, set, type(None))


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


def batch_of(detector: Detector, size: tuple[int, int]) -> torch.Tensor:
    """(3, 3, h, w): a picture of (H, W), the same mirrored, and another."""
    pixels = detector.prepare(picture(size))
    return torch.stack([pixels, pixels.flip(-1), detector.prepare(picture(size, seed=2))])


def check_contract(
    detector: Detector,
    tolerance: float = 1e-4,
    sizes: tuple[tuple[int, int], ...] = SIZES,
) -> None:
    """Check an adapter on images of some sizes; `tolerance` is for scores, and boxes in pixels."""
    assert isinstance(detector, Detector)
    assert detector.name
    assert len(set(detector.labels)) == len(detector.labels) > 0
    for size in sizes:
        _check_prepare(detector, picture(size))
        _check_detect(detector, batch_of(detector, size), size, tolerance)


def _check_prepare(detector: Detector, image: np.ndarray) -> None:
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


def _check_detect(
    detector: Detector, batch: torch.Tensor, size: tuple[int, int], tolerance: float
) -> None:
    before = batch.clone()
    found = detector.detect(batch, size)
    assert torch.equal(batch, before)
    assert found.labels == detector.labels
    assert len(found) == len(batch)
    assert found.boxes.dtype.is_floating_point
    assert found.scores.dtype == torch.float32
    assert not found.scores.requires_grad
    for row, image in enumerate(batch):
        alone = live(detector.detect(image[None], size))
        together = live(found, row)
        assert len(alone[0]) == len(together[0])
        assert torch.allclose(alone[0], together[0], atol=tolerance * max(size))
        assert torch.allclose(alone[1], together[1], atol=tolerance)
    # On a plain image proposals tie, and rounding decides which of them a model keeps.
    assert len(detector.detect(torch.full_like(batch, 0.5), size)) == len(batch)
    again = detector.detect(batch, size)
    assert torch.equal(again.boxes, found.boxes)
    assert torch.equal(again.scores, found.scores)
    # Boxes are in pixels of the original image, so they grow with it.
    doubled = detector.detect(batch, (2 * size[0], 3 * size[1]))
    growth = torch.tensor([3.0, 2.0, 3.0, 2.0], device=found.boxes.device)
    for row in range(len(batch)):
        boxes, scores = live(doubled, row)
        assert torch.allclose(boxes, live(found, row)[0] * growth, rtol=1e-4, atol=1e-3)
        assert torch.equal(scores, live(found, row)[1])


def live(found: Candidates, row: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (n, 4) and scores (n, L) of the candidates of an image that are not padding."""
    alive = found.scores[row].amax(dim=-1) > 0
    return found.boxes[row][alive], found.scores[row][alive]


def reduce(found: Candidates, how: Reduction, row: int = 0) -> Own:
    """The detections of an image of a batch, as a library would make them of its candidates."""
    boxes, scores = live(found, row)
    if how.multi_label:
        candidate, label = torch.nonzero(scores > how.threshold, as_tuple=True)
    else:
        best, column = scores.max(dim=-1)
        candidate = torch.nonzero(best > how.threshold)[:, 0]
        label = column[candidate]
    boxes, scores = boxes[candidate], scores[candidate, label]
    if how.nms_iou is None:
        kept = scores.argsort(descending=True, stable=True)
    else:
        kept = batched_nms(boxes.float(), scores, label, how.nms_iou)
    kept = kept[: how.top]
    return Own(boxes[kept], scores[kept], [found.labels[i] for i in label[kept].tolist()])


def _within(found: Own, size: tuple[int, int]) -> Own:
    """Boxes cut off at the borders of the image, as libraries do once NMS is done, or not."""
    boxes = clipped(found.boxes, size)
    there = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    labels = [label for label, is_there in zip(found.labels, there, strict=True) if is_there]
    return Own(boxes[there], found.scores[there], labels)


def assert_same_detections(ours: Own, theirs: Own, size: tuple[int, int], tolerance: float) -> None:
    """Compare as sets: equal scores may come in any order. Only what lies in the image counts."""
    ours, theirs = _within(ours, size), _within(theirs, size)
    assert len(ours.labels) == len(theirs.labels) > 0
    free = list(range(len(ours.labels)))
    for box, score, label in zip(*theirs, strict=True):
        match = next(
            (
                i
                for i in free
                if ours.labels[i] == label
                and abs(float(ours.scores[i] - score)) <= tolerance
                and torch.allclose(ours.boxes[i], box.to(ours.boxes), atol=tolerance * max(size))
            ),
            None,
        )
        assert match is not None, f"no candidate for {label} {float(score):.4f} {box.tolist()}"
        free.remove(match)


def snapshot(model: nn.Module) -> dict[str, Any]:
    """All that a detector might leave changed on a model: modes, hooks, settings, gradients."""
    state: dict[str, Any] = {}
    for name, module in model.named_modules():
        hooks = [len(value) for key, value in vars(module).items() if key.endswith("_hooks")]
        settings = {
            key: repr(value)
            for key, value in vars(module).items()
            if not key.startswith("_")
            and isinstance(value, (int, float, str, bool, dict, tuple, list, set, type(None)))
        }
        replaced = "forward" in vars(module)
        state[name] = (module.training, hooks, settings, replaced)
    for name, parameter in model.named_parameters():
        state[f"{name}!"] = (parameter.requires_grad, parameter.grad is None, parameter.dtype)
        state[f"{name}="] = float(parameter.detach().double().abs().sum())
    for name, buffer in model.named_buffers():
        state[f"{name}~"] = float(buffer.double().abs().sum())
    for name in ("config", "generation_config", "cfg"):
        state[f"{name}?"] = repr(getattr(model, name, None))
    return state

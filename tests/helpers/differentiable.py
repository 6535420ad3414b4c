"""Detectors whose gradients can be worked out by hand, and slopes of those of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from detectors.function import FunctionDetector
from tests.helpers.contract import batch_of
from vps.core.asking import candidates
from vps.core.boxes import iou
from vps.core.detect import visible
from vps.core.detector import Detector, DifferentiableDetector, FeatureLayer, TargetScorer
from vps.core.targets import Target

SIDE = 16
TARGET = Target((4.0, 4.0, 12.0, 12.0), "thing")
SIZE = (SIDE, SIDE)


def weights(total: float = 0.8, seed: int = 0) -> Tensor:
    """(3, SIDE, SIDE) positive, of a sum; so a picture of ones scores that."""
    random = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(seed))
    return random * (total / random.sum())


def linear(of_pixels: Tensor) -> FunctionDetector:
    """One box, the target's, that scores the sum of weights x pixels: ds/dx = weights."""

    def detect(pixels: Tensor) -> tuple[Tensor, Tensor]:
        score = (pixels * of_pixels).sum(dim=(1, 2, 3))
        return pixels.new_tensor(TARGET.box).expand(len(pixels), 1, 4), score[:, None, None]

    return FunctionDetector(detect, ("thing",), name="linear")


def moving(of_pixels: Tensor, score: float = 0.9) -> FunctionDetector:
    """One box of the target's size, d = the sum of weights x pixels to the right of it.

    With the target's width w, IoU = (w - d) / (w + d), and so ds/dx = -2 w score / (w + d)^2
    weights.
    """

    def detect(pixels: Tensor) -> tuple[Tensor, Tensor]:
        shift = (pixels * of_pixels).sum(dim=(1, 2, 3))[:, None, None]
        boxes = pixels.new_tensor(TARGET.box) + shift * pixels.new_tensor([1.0, 0, 1, 0])
        return boxes, torch.full_like(shift, score)

    return FunctionDetector(detect, ("thing",), name="moving")


class Layered(FunctionDetector):
    """One box, the target's, that scores a weighted sum of a convolution's features:
    ds/dA = `of_features`, (C, 4, 4).

    Attributes:
        model: with the layers "unused", which does not run, and "features".
    """

    def __init__(self, channels: int = 2, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.model = nn.ModuleDict(
            {"features": nn.Conv2d(3, channels, 4, stride=4), "unused": nn.Conv2d(3, 1, 1)}
        ).eval()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(torch.rand(parameter.shape, generator=generator) / 48)
        self.of_features = torch.rand(channels, 4, 4, generator=generator) / (channels * 16)
        super().__init__(self._answer, ("thing",), name="layered")

    def feature_layers(self) -> Mapping[str, FeatureLayer]:
        return {name: FeatureLayer(module) for name, module in self.model.items()}

    def _answer(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.model["features"](pixels)
        score = (features * self.of_features).sum(dim=(1, 2, 3))
        return pixels.new_tensor(TARGET.box).expand(len(pixels), 1, 4), score[:, None, None]


def asked(detector: Detector, size: tuple[int, int]) -> tuple[Any, Tensor, Target]:
    """A detector about a target near the best that it finds, and (1, 3, h, w) where it is.

    The picture has noise, because where it is flat, maxima over places tie; so would sides of box
    and target if they were the same.
    """
    pixels = batch_of(detector, size)[:1]
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(3))
    pixels = 0.8 * pixels + 0.2 * noise.to(pixels)
    found = candidates(detector, pixels, size)
    wide = (found.boxes[..., 2:] - found.boxes[..., :2]).amin(-1, keepdim=True) > 0.1
    best = visible(type(found)(found.boxes, found.scores * wide, found.labels), threshold=0)[0]
    box = torch.tensor(best.box) + torch.tensor([-1.0, -1, 1, 0.5]) * min(size) / 40
    target = Target(tuple(box.tolist()), best.label)
    if isinstance(detector, TargetScorer):
        detector = detector.about(pixels[0], size, [target])
    return detector, pixels, target


def gradient(
    detector: DifferentiableDetector,
    pixels: Tensor,
    size: tuple[int, int],
    targets: Sequence[Target],
) -> Tensor:
    """(B, 3, h, w) of the sum of the scores."""
    given = pixels.clone().requires_grad_()
    (found,) = torch.autograd.grad(detector.scores(given, size, targets).sum(), given)
    return found


def slopes(
    detector: DifferentiableDetector, pixels: Tensor, size: tuple[int, int], target: Target
) -> tuple[float, float]:
    """ds along a direction by the gradient, and by a central difference.

    The direction is drawn, and turned towards the gradient, so that it stands out from rounding;
    the step is so short that s hardly bends, and that the same candidate attains it at both ends.
    """
    found = gradient(detector, pixels, size, [target])
    drawn = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(4)).to(pixels)
    way = found / found.norm() + drawn / drawn.norm()
    way = way / way.norm()
    longest = min(max(1e-3 / float(found.norm()), 2e-4), 2e-3)
    for step in (longest, longest / 2, longest / 4):
        ends = [pixels + step * way, pixels - step * way]
        if len({_attaining(detector, end, size, target) for end in (pixels, *ends)}) == 1:
            break
    with torch.no_grad():
        up, down = (float(detector.scores(end, size, [target])) for end in ends)
    return float((found * way).sum()), (up - down) / (2 * step)


def _attaining(detector: Any, pixels: Tensor, size: tuple[int, int], target: Target) -> int:
    """Which candidate attains s."""
    if isinstance(detector, TargetScorer):
        return 0
    found = candidates(detector, pixels, size)
    ious = iou(found.boxes[0], found.boxes.new_tensor([target.box]))[:, 0]
    return int((ious * found.scores[0, :, found.column(target.label)]).argmax())

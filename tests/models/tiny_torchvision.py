"""Torchvision's own classes of detectors with a tiny random backbone, and its smallest model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.detection import FCOS, FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.ssd import SSD

from detectors import load
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

LABELS = ("cat", "dog", "bird")
CHANNELS = 32
SIZES = {"min_size": 64, "max_size": 96}


class Backbone(nn.Module):
    """Two levels, of strides 8 and 16; `out_channels` is a number, or for SSD a list."""

    def __init__(self, out_channels: int | list[int] = CHANNELS) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.first = nn.Conv2d(3, CHANNELS, 9, stride=8, padding=4)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        first = self.first(images).tanh()
        return OrderedDict([("0", first), ("1", self.second(first).tanh())])


def tiny_fasterrcnn(num_classes: int, **settings: Any) -> FasterRCNN:
    return FasterRCNN(Backbone(), **SIZES, **_heads(num_classes), **settings)


def tiny_maskrcnn(num_classes: int, **settings: Any) -> MaskRCNN:
    masks = {
        "mask_head": MaskRCNNHeads(CHANNELS, (8,), 1),
        "mask_predictor": MaskRCNNPredictor(8, 8, num_classes),
    }
    return MaskRCNN(Backbone(), **SIZES, **_heads(num_classes), **masks, **settings)


def _heads(num_classes: int) -> dict[str, Any]:
    return {
        "rpn_anchor_generator": AnchorGenerator(((16,), (32,)), ((0.5, 1.0, 2.0),) * 2),
        "box_head": TwoMLPHead(CHANNELS * 49, 32),
        "box_predictor": FastRCNNPredictor(32, num_classes),
    }


def tiny_retinanet(num_classes: int, **settings: Any) -> RetinaNet:
    anchors = AnchorGenerator(((16, 20), (32, 40)), ((0.5, 1.0, 2.0),) * 2)
    return RetinaNet(Backbone(), num_classes, anchor_generator=anchors, **SIZES, **settings)


def tiny_fcos(num_classes: int, **settings: Any) -> FCOS:
    anchors = AnchorGenerator(((8,), (16,)), ((1.0,),) * 2)
    return FCOS(Backbone(), num_classes, anchor_generator=anchors, **SIZES, **settings)


def tiny_ssd(num_classes: int, **settings: Any) -> SSD:
    anchors = DefaultBoxGenerator([[2], [2]])
    return SSD(Backbone([CHANNELS] * 2), anchors, (64, 64), num_classes, **settings)


def build(name: str, num_classes: int, **settings: Any) -> Any:
    """A random model whose scores and boxes differ from place to place."""
    torch.manual_seed(0)
    if name in globals():
        model = globals()[name](num_classes, **settings)
    else:
        off = {"weights": None, "weights_backbone": None}
        model = models.get_model(name, **off, num_classes=num_classes, **settings)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                nn.init.kaiming_normal_(parameter)
    return model.eval()


def save(folder: Path, name: str, num_classes: int) -> None:
    torch.save(build(name, num_classes).state_dict(), folder / "model.pth")


def load_model(folder: Path, device: str, name: str, labels: tuple[str, ...]) -> Detector:
    source = f"{__name__}:{name}" if name in globals() else name
    weights = folder / "model.pth"
    return load(f"torchvision:{source}", weights=weights, labels=labels, device=device, floor=0)


@torch.no_grad()
def own_detections(
    folder: Path, image: np.ndarray, name: str, names: list[str], settings: dict[str, Any]
) -> Own:
    """The whole model, from the image to its detections; `names` are those of its classes."""
    model = build(name, len(names), **settings)
    model.load_state_dict(torch.load(folder / "model.pth", weights_only=True))
    pixels = torch.from_numpy(image).permute(2, 0, 1) / 255
    (found,) = model([pixels])
    labels = [names[label] for label in found["labels"].tolist()]
    kept = [row for row, label in enumerate(labels) if label in LABELS]
    return Own(found["boxes"][kept], found["scores"][kept], [labels[row] for row in kept])


def make_case(
    family: str, name: str, threshold: float, *, prefix: str = "", background: bool = True
) -> Case:
    """A case; `prefix` stands before the names of the settings of the model's last step."""
    names = [*(["__background__"] if background else []), *LABELS]
    settings = {
        f"{prefix}score_thresh": threshold,
        f"{prefix}nms_thresh": 0.5,
        f"{prefix}detections_per_img": 10_000,
    }
    if not prefix:
        settings["topk_candidates"] = 10_000
    own: Callable[[Path, np.ndarray], Own] = partial(
        own_detections, name=name, names=names, settings=settings
    )
    return Case(
        f"torchvision {family}",
        save=partial(save, name=name, num_classes=len(names)),
        load=partial(load_model, name=name, labels=LABELS),
        weights="model.pth",
        model=lambda detector: detector.model,
        own=own,
        reduction=Reduction(threshold=threshold, nms_iou=0.5, multi_label=True),
        whole=not family.endswith("rcnn"),
    )


CASES = [
    make_case("faster-rcnn", "tiny_fasterrcnn", 0.3, prefix="box_"),
    make_case("mask-rcnn", "tiny_maskrcnn", 0.4, prefix="box_"),
    make_case("retinanet", "tiny_retinanet", 0.015),
    make_case("fcos", "tiny_fcos", 0.15, background=False),
    make_case("ssd", "tiny_ssd", 0.6),
    make_case("ssdlite", "ssdlite320_mobilenet_v3_large", 0.99),
]

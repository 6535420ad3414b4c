"""The first stage: the backbone alone learns where things are, what shape and what colour.

A dense head, thrown away afterwards, says for every cell of eight pixels which category is there,
in which colour, and how far its box reaches. A step costs a fraction of one of the whole detector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from tools.demo_training.batches import Batch
from tools.demo_training.pool import COLOUR_NAMES
from vps.core.boxes import cxcywh_to_xyxy
from vps.data.scenes.layouts import CATEGORIES

_STRIDE = 8


class DenseHead(nn.Module):
    """Feature maps of strides 8, 16, 32 -> logits and boxes on the grid of stride 8."""

    def __init__(self, backbone: nn.Module, channels: list[int], width: int = 64) -> None:
        super().__init__()
        self.backbone = backbone
        self.laterals = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        self.mix = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(8, width), nn.GELU()
        )
        self.outputs = nn.Conv2d(width, len(CATEGORIES) + len(COLOUR_NAMES) + 4, 1)
        with torch.no_grad():
            self.outputs.bias[: len(CATEGORIES)] = -4.0  # type: ignore[index]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (B, 3, h, w) -> category logits (B, P, 10), colours (B, P, 7), boxes (B, P, 4)."""
        maps = self.backbone(pixels).feature_maps
        size = maps[0].shape[-2:]
        mixed = sum(
            F.interpolate(lateral(level), size=size)
            for lateral, level in zip(self.laterals, maps, strict=True)
        )
        out = self.outputs(self.mix(mixed)).flatten(2).transpose(1, 2)
        categories, colours, reach = out.split([len(CATEGORIES), len(COLOUR_NAMES), 4], dim=2)
        x, y = _cells(size).unbind(1)
        left, top, right, bottom = F.softplus(reach).mul(0.2).unbind(2)
        boxes = torch.stack([x - left, y - top, x + right, y + bottom], dim=2)
        return categories, colours, boxes


def _cells(size: tuple[int, int]) -> Tensor:
    """The centres (P, 2) of the cells of a grid (rows, columns), as shares of the image."""
    rows, columns = size
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij"
    )
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def dense_loss(head: DenseHead, pixels: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Focal loss on categories, cross entropy on colours, GIoU on boxes; all on the CPU."""
    logits, colours, boxes = head(pixels)
    size = (batch.pixels.shape[2] // _STRIDE, batch.pixels.shape[3] // _STRIDE)
    image, place, item = owners(batch.boxes, size)
    at = image, place
    target = torch.zeros_like(logits)
    target[image, place, owned(batch.categories, image, item)] = 1
    losses = {
        "category": sigmoid_focal_loss(logits, target, reduction="sum") / len(image) * 4,
        "colour": F.cross_entropy(colours[at], owned(batch.colours, image, item)),
        "box": generalized_box_iou_loss(
            boxes[at], cxcywh_to_xyxy(owned(batch.boxes, image, item)), reduction="mean"
        ),
    }
    return torch.stack(list(losses.values())).sum(), {k: v.item() for k, v in losses.items()}


def owners(boxes: list[Tensor], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Which cells of a grid (rows, columns) belong to an object, and to which.

    A cell belongs to the smallest object whose inner 40 % hold its centre.

    Args:
        boxes: per image (k, 4), cxcywh as shares of the image.
        size: of the grid.

    Returns:
        (n,) int64 each: image, cell, and number of the object in its image.
    """
    cells = _cells(size)
    images, places, items = [], [], []
    for number, centres in enumerate(boxes):
        if not len(centres):
            continue
        reach = torch.maximum(centres[:, 2:] * 0.2, torch.tensor([0.6 / size[1], 0.6 / size[0]]))
        inside = ((cells[:, None] - centres[:, :2]).abs() <= reach).all(dim=2)
        area = torch.where(inside, centres[:, 2:].prod(dim=1), torch.inf)
        least, owner = area.min(dim=1)
        taken = torch.nonzero(least.isfinite()).flatten()
        images.append(torch.full_like(taken, number))
        places.append(taken)
        items.append(owner[taken])
    return torch.cat(images), torch.cat(places), torch.cat(items)


def owned(values: list[Tensor], image: Tensor, item: Tensor) -> Tensor:
    """Of values per image (k, ...), those of the objects number `item` (n,) of images (n,)."""
    counts = torch.tensor([len(value) for value in values])
    return torch.cat(values)[(counts.cumsum(0) - counts)[image] + item]

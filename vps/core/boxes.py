"""Box formats and the only IoU of the project.

Formats, all in pixels, with x to the right and y down:
    xyxy    left, top, right, bottom
    xywh    left, top, width, height (COCO)
    cxcywh  centre x, centre y, width, height (DETR)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) from xywh to xyxy."""
    return torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], dim=-1)


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) from xyxy to xywh."""
    return torch.cat([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], dim=-1)


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) from cxcywh to xyxy."""
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], dim=-1)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) from xyxy to cxcywh."""
    return torch.cat(
        [(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], dim=-1
    )


def area(boxes: Tensor) -> Tensor:
    """Areas (...) of xyxy boxes (..., 4); an inverted box has area 0."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of each box with each other box, in [0, 1].

    Args:
        boxes: xyxy, (..., N, 4).
        others: xyxy, (..., K, 4); leading dimensions broadcast with those of `boxes`.

    Returns:
        (..., N, K). Two empty boxes have IoU 0, not NaN.
    """
    top_left = torch.maximum(boxes[..., :, None, :2], others[..., None, :, :2])
    bottom_right = torch.minimum(boxes[..., :, None, 2:], others[..., None, :, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    union = area(boxes)[..., :, None] + area(others)[..., None, :] - intersection
    return intersection / union.clamp(min=1e-12)


def clipped(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) xyxy boxes cut off at the borders of an image of size (H, W), in its pixels.

    A box that lies outside has no area then.

    >>> clipped(torch.tensor([[-5.0, 10.0, 40.0, 90.0]]), (80, 60)).tolist()
    [[0.0, 10.0, 40.0, 80.0]]
    """
    height, width = size
    return boxes.clamp(min=0).minimum(boxes.new_tensor([width, height, width, height]))


def overlap(box: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two boxes, xyxy."""
    return float(iou(torch.tensor([tuple(box)]), torch.tensor([tuple(other)])))

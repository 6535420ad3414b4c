"""All candidates of torchvision's detectors, before score threshold and NMS, a function a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.ops import clip_boxes_to_image

from detectors.shared.watch import ChoiceWatch, share
from vps.errors import InputError

# The side in pixels below which Faster R-CNN drops a box, as in its postprocess_detections.
_SMALLEST_SIDE = 1e-2


@dataclass(frozen=True)
class ImageCandidates:
    """n candidates of B images, one after the other.

    Attributes:
        image: (n,) int64, ascending: whose candidate it is.
        boxes: (n, 4) float32, xyxy, pixels of the grid, clipped to it.
        scores: (n, L) float32 in [0, 1].
    """

    image: Tensor
    boxes: Tensor
    scores: Tensor

    def padded(self, count: int) -> tuple[Tensor, Tensor]:
        """Boxes (count, N, 4) and scores (count, N, L); a padded candidate is all zeros."""
        numbers = torch.bincount(self.image, minlength=count)
        before = numbers.cumsum(0) - numbers
        place = torch.arange(len(self.image), device=self.image.device) - before[self.image]
        most = int(numbers.max())
        boxes = self.boxes.new_zeros(count, most, 4)
        scores = self.scores.new_zeros(count, most, self.scores.shape[1])
        boxes[self.image, place] = self.boxes
        scores[self.image, place] = self.scores
        return boxes, scores


TorchvisionHead = Callable[[Any, ImageList, dict[str, Tensor], Tensor, float], ImageCandidates]
"""From a model, its normalised images, all of one size, its features in float32, the classes (L,)
that are labels, and a floor, to the candidates of which a class reaches the floor."""


def two_stage(
    model: Any, images: ImageList, features: dict[str, Tensor], classes: Tensor, floor: float
) -> ImageCandidates:
    """Faster, Mask and Keypoint R-CNN: each proposal with each class, whose box is its own.

    A candidate so has one label, and scores 0 for the others.
    """
    watch, rpn = ChoiceWatch(), share(model.rpn)
    rpn.head = watch.watched(model.rpn.head)
    # Half precision is too coarse for the boxes that it decodes.
    with torch.autocast(classes.device.type, enabled=False):
        proposals, _ = rpn(images, features)
    heads = model.roi_heads
    pooled = heads.box_roi_pool(features, proposals, images.image_sizes)
    logits, deltas = heads.box_predictor(heads.box_head(pooled))
    scores = logits.float().softmax(-1)[:, classes]
    boxes = heads.box_coder.decode(deltas.float(), proposals)
    # Without any proposal, it comes without the axis of classes.
    boxes = boxes.reshape(*logits.shape, 4)[:, classes]
    boxes = clip_boxes_to_image(boxes, images.image_sizes[0])
    whole = _reached(boxes[..., 2:] - boxes[..., :2], _SMALLEST_SIDE).all(-1)
    row, label = (_reached(scores, floor) & whole).nonzero(as_tuple=True)
    counts = torch.tensor([len(each) for each in proposals], device=classes.device)
    image = torch.arange(len(proposals), device=classes.device).repeat_interleave(counts)[row]
    alone = scores.new_zeros(len(row), len(classes))
    alone.scatter_(1, label[:, None], scores[row, label, None])
    return ImageCandidates(image, boxes[row, label], watch.mark(alone))


def retinanet(
    model: Any, images: ImageList, features: dict[str, Tensor], classes: Tensor, floor: float
) -> ImageCandidates:
    """RetinaNet: all anchors of all levels."""
    outputs, anchors = _dense(model, images, features)
    logits = outputs["cls_logits"]
    # The sigmoid comes last: there are 18 million logits in an image.
    kept = _reached(logits.amax(-1).sigmoid(), floor)
    image, anchor = kept.nonzero(as_tuple=True)
    boxes = model.box_coder.decode_single(outputs["bbox_regression"][kept], anchors[anchor])
    boxes = clip_boxes_to_image(boxes, images.image_sizes[0])
    return ImageCandidates(image, boxes, logits[kept][:, classes].sigmoid())


def fcos(
    model: Any, images: ImageList, features: dict[str, Tensor], classes: Tensor, floor: float
) -> ImageCandidates:
    """FCOS: all locations of all levels; a score is the root of class score times centreness."""
    outputs, anchors = _dense(model, images, features)
    logits, central = outputs["cls_logits"], outputs["bbox_ctrness"].sigmoid()
    kept = _reached((logits.amax(-1).sigmoid() * central[..., 0]).sqrt(), floor)
    image, anchor = kept.nonzero(as_tuple=True)
    boxes = model.box_coder.decode(outputs["bbox_regression"][kept], anchors[anchor])
    boxes = clip_boxes_to_image(boxes, images.image_sizes[0])
    return ImageCandidates(
        image, boxes, (logits[kept][:, classes].sigmoid() * central[kept]).sqrt()
    )


def ssd(
    model: Any, images: ImageList, features: dict[str, Tensor], classes: Tensor, floor: float
) -> ImageCandidates:
    """SSD and SSDlite: all default boxes of all levels."""
    outputs, anchors = _dense(model, images, features)
    scores = outputs["cls_logits"].softmax(-1)[..., classes]
    kept = _reached(scores.amax(-1), floor)
    image, anchor = kept.nonzero(as_tuple=True)
    boxes = model.box_coder.decode_single(outputs["bbox_regression"][kept], anchors[anchor])
    boxes = clip_boxes_to_image(boxes, images.image_sizes[0])
    return ImageCandidates(image, boxes, scores[kept])


HEADS: dict[type, TorchvisionHead] = {
    GeneralizedRCNN: two_stage,
    RetinaNet: retinanet,
    FCOS: fcos,
    SSD: ssd,
}
"""How the models of each class, and of those derived from it, are read."""


def find_torchvision_head(model: Any) -> TorchvisionHead:
    """The function that reads a model.

    Raises:
        InputError: a model of none of the classes.
    """
    for kind, head in HEADS.items():
        if isinstance(model, kind):
            return head
    kinds = ", ".join(kind.__name__ for kind in HEADS)
    raise InputError(f"a {type(model).__name__} is none of the detectors of torchvision: {kinds}")


def has_background(model: Any) -> bool:
    """Whether the first class is the background by the model's loss: a softmax over all."""
    return isinstance(model, (GeneralizedRCNN, SSD))


def count_classes(model: Any) -> int:
    """How many classes a model scores, with the background if it has one."""
    if isinstance(model, GeneralizedRCNN):
        return int(model.roi_heads.box_predictor.cls_score.out_features)
    head = model.head.classification_head
    return int(head.num_columns if isinstance(model, SSD) else head.num_classes)


def _dense(
    model: Any, images: ImageList, features: dict[str, Tensor]
) -> tuple[dict[str, Tensor], Tensor]:
    """The outputs of a one-stage head in float32, (B, A, ...) each, and the anchors (A, 4)."""
    levels = list(features.values())
    outputs = {name: values.float() for name, values in model.head(levels).items()}
    one = ImageList(images.tensors, images.image_sizes[:1])
    (anchors,) = model.anchor_generator(one, levels)
    return outputs, anchors


def _reached(values: Tensor, least: float) -> Tensor:
    """Whether values are not below a bound; NaN is kept, so that `Candidates` can refuse it."""
    return ~(values < least)

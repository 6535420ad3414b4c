"""The detectors of torchvision: Faster, Mask and Keypoint R-CNN, RetinaNet, FCOS, SSD, SSDlite."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from detectors.shared.features import levels_within, multiple_of
from detectors.shared.gradients import Differentiable, keeps_gradients
from detectors.shared.pixels import check_batch, choose_device, choose_dtype, scale_boxes, to_pixels
from detectors.torchvision_models.checkpoint import read_torchvision_model, set_sizes
from detectors.torchvision_models.heads import (
    count_classes,
    find_torchvision_head,
    has_background,
)
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.errors import InputError

BACKGROUND = ("__background__", "background", "no person")
UNUSED = "N/A"


class TorchvisionDetector(Differentiable):
    """A detector of torchvision; a `vps.core.detector.Detector`.

    Candidates are, of RetinaNet, FCOS and SSD, all anchors or locations of all levels. Of the
    R-CNNs they are all pairs of a proposal and a label, as each class has a box of its own there;
    such a candidate scores 0 for the other labels. What the R-CNN's first stage drops, by its own
    NMS, its limit of proposals and in the MobileNet variants its threshold, is part of the model.

    A RetinaNet has 200,000 anchors of 91 classes in an image. So candidates that reach `floor` with
    no class are left out, which changes s(S) by less than that; 0 keeps all.

    Gradients of an R-CNN stop at its proposals, as in training (the "approximate joint training" of
    Ren et al., "Faster R-CNN", NeurIPS 2015): RoIAlign has none of where it pools.

    Args:
        model: of a class in `detectors.torchvision_models.heads.HEADS`, in evaluation mode.
        labels: one name a class, with or without the background's, which comes first. The
            background and classes that are called "N/A" are no labels.
        name: what reports call the detector.
        floor: see above; in [0, 1).
        dtype: what the model computes in, under autocast; the weights stay as they are.

    Raises:
        InputError: another model, one in training mode, names that do not fit its classes or are
            not different, or a floor out of range.
    """

    def __init__(
        self,
        model: Any,
        labels: Sequence[str],
        *,
        name: str = "torchvision",
        floor: float = 0.001,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        head = find_torchvision_head(model)
        if model.training:
            raise InputError("the model is in training mode; call model.eval() first")
        if not 0 <= floor < 1:
            raise InputError(f"floor must be at least 0 and less than 1, got {floor}")
        columns = find_columns(labels, count_classes(model), has_background(model))
        self.name = name
        self.labels = tuple(columns)
        self.device = next(model.parameters()).device
        self.model = model
        self._head = head
        self._classes = torch.tensor(list(columns.values()), device=self.device)
        self._floor = floor
        self._dtype = dtype

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image as the model itself resizes it; see `vps.core.detector.Detector.prepare`."""
        pixels = to_pixels(image, (image.shape[0], image.shape[1]), self.device)
        # Interpolation may step over 1 by a rounding error.
        return self.model.transform.resize(pixels)[0].clamp(0, 1)

    @keeps_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All candidates that reach the floor; see `vps.core.detector.Detector.detect`."""
        grid = check_batch(pixels)
        transform, count = self.model.transform, len(pixels)
        padded = transform.batch_images(list(transform.normalize(pixels)), transform.size_divisible)
        images = ImageList(padded, [grid] * count)
        with torch.autocast(
            self.device.type, dtype=self._dtype, enabled=self._dtype != torch.float32
        ):
            features = self.model.backbone(images.tensors)
            if isinstance(features, Tensor):
                features = {"0": features}
            # Anchors take the type of the features, and half precision is too coarse for boxes.
            features = {name: level.float() for name, level in features.items()}
            found = self._head(self.model, images, features, self._classes, self._floor)
        boxes, scores = found.padded(count)
        return Candidates(scale_boxes(boxes, grid, size), scores, self.labels)

    @torch.no_grad()
    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What the backbone, with its pyramid, gives to the head, "neck.0" the finest level; see
        `vps.core.detector.FeatureDetector`. A black image tells how many levels there are."""
        transform, backbone = self.model.transform, self.model.backbone
        height, width = transform.fixed_size or (128, 128)
        trial = backbone(torch.zeros(1, 3, height, width, device=self.device))
        return levels_within(backbone, trial, multiple_of(transform.size_divisible))


def load_torchvision(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    weights: str | PathLike[str] = "DEFAULT",
    min_size: int | None = None,
    max_size: int | None = None,
    floor: float = 0.001,
) -> TorchvisionDetector:
    """A detector of torchvision by the name of what builds it.

    Args:
        source: a function of `torchvision.models.detection`, e.g. "retinanet_resnet50_fpn_v2"; or
            "module:function" of a function of one's own that can be imported, takes
            `num_classes`, the background included, and returns a model of one of torchvision's
            classes.
        labels: the names of the classes, for a file; see `TorchvisionDetector`. Published weights
            bring their own, and a file with as many classes gets the same unless told otherwise.
        device: "cpu", "cuda", "cuda:N" or "mps".
        dtype: "float32", "bfloat16" or "float16".
        weights: "DEFAULT" or another name of published weights, which torchvision fetches once; or
            a file with a state dict, as torch.save (.pth) or safetensors writes it. A file whose
            batch norms are frozen is taken for one that was fine-tuned from published weights,
            which torchvision runs with an epsilon of 0; no file tells.
        min_size: the pixels of an image's shorter side, if other than the builder's.
        max_size: the most pixels of its longer side.
        floor: see `TorchvisionDetector`.

    Raises:
        InputError: no such model, weights that cannot be had or do not fit it, labels that do not
            fit the weights, or a device, dtype or number that cannot be used.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    place, computed = choose_device(device), choose_dtype(dtype)
    model, names = read_torchvision_model(source, weights, labels)
    set_sizes(model, min_size, max_size)
    return TorchvisionDetector(
        model.to(place), names, name=f"torchvision:{source}", floor=floor, dtype=computed
    )


def find_columns(labels: Sequence[str], classes: int, background: bool) -> dict[str, int]:
    """The class of each label.

    Args:
        labels: one name a class, with or without the background's.
        classes: how many classes the model scores.
        background: whether its first class is the background, by its loss.

    Returns:
        The classes by name; those called as in `BACKGROUND` or "N/A" are left out.

    Raises:
        InputError: more or fewer names, names that are not different, or a string.
    """
    names = [labels] if isinstance(labels, str) else list(labels)
    if len(names) == classes - 1:
        names = [BACKGROUND[0], *names]
    elif len(names) != classes or (background and names[0] not in BACKGROUND):
        raise InputError(
            f"the model scores {classes} classes, the first of which is the background"
            f"{'' if background else ' or a label'}; give {classes - 1}"
            f"{'' if background else f' or {classes}'} labels, not {len(names)}"
        )
    columns = [(name, i) for i, name in enumerate(names) if name not in (*BACKGROUND, UNUSED)]
    if not columns or len(dict(columns)) != len(columns):
        raise InputError(f"labels must be different names, at least one; got {names}")
    return dict(columns)

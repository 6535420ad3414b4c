"""Detectors of Ultralytics: all candidates of their heads, before top-k and NMS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from detectors.shared.features import Placement, pyramid_of
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch
from detectors.shared.watch import share
from detectors.ultralytics_models.checkpoint import read_model
from vps.core.boxes import cxcywh_to_xyxy
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.core.extras import require
from vps.core.images import as_rgb
from vps.errors import InputError

cv2: Any = require("cv2", extra="ultralytics")
heads: Any = require("ultralytics.nn.modules.head", extra="ultralytics")

_GREY = 114 / 255  # what the library pads with
_USUAL = 640


class UltralyticsDetector(Differentiable):
    """YOLO of any version, and RT-DETR, as Ultralytics implements them.

    All anchors or queries are candidates with the sigmoids of all classes: what the head decodes,
    before its top-k and before NMS. What a head says beside boxes (masks, keypoints, angles) is
    left; the boxes of an oriented one are the upright ones around its own. Images are resized and
    padded as by the library's own `predict`. Candidates that reach `floor` with no class score 0,
    which changes s(S) by less than that; 0 keeps all.

    Ultralytics and its weights are under AGPL-3.0, which asks what is built on them to be so, too.

    May be used from several threads. The model is not changed.

    Args:
        model: the torch model in a `YOLO`, in evaluation mode.
        labels: one name a class, in order; by default the model's `names`.
        name: what reports call the detector.
        imgsz: the pixels of the longer side, or (h, w); by default what the model was trained
            with, or 640.
        floor: see above; in [0, 1).

    Raises:
        InputError: a model without boxes with class scores, one in training mode, labels that do
            not fit, or a size or floor out of range.
    """

    def __init__(
        self,
        model: Any,
        *,
        labels: Sequence[str] | Mapping[int, str] | None = None,
        name: str = "ultralytics",
        imgsz: int | Sequence[int] | None = None,
        floor: float = 0.001,
    ) -> None:
        head = model.model[-1]
        self._queries = isinstance(head, heads.RTDETRDecoder)
        if not (self._queries or isinstance(head, heads.Detect)):
            raise InputError(
                f"the {type(head).__name__} of this model gives no boxes with class scores; take "
                "a model for detection, segmentation, poses or oriented boxes"
            )
        if model.training:
            raise InputError("the model is in training mode; call model.eval() first")
        if not 0 <= floor < 1:
            raise InputError(f"floor must be at least 0 and less than 1, got {floor}")
        self.name = name
        self.labels = _names(labels if labels is not None else model.names, int(head.nc))
        self.device = next(model.parameters()).device
        self.model = model
        self._stride = max(int(model.stride.max()), 32)
        self._size = _checked_size(imgsz or _trained_with(model) or _USUAL)
        self._floor = floor
        self._half = next(model.parameters()).dtype != torch.float32

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image resized, but not padded; see `vps.core.detector.Detector.prepare`."""
        rgb = as_rgb(image)
        height, width = self._size
        if not self._queries:
            ratio = min(height / rgb.shape[0], width / rgb.shape[1])
            height, width = (max(1, round(side * ratio)) for side in rgb.shape[:2])
        if rgb.shape[:2] != (height, width):
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
        planes = torch.from_numpy(rgb.copy()).to(self.device).permute(2, 0, 1)
        return planes.to(torch.float32).div_(255).contiguous()

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All anchors or queries; see `vps.core.detector.Detector.detect`."""
        grid = check_batch(pixels)
        frame = self._placement(grid)
        left, top = frame.left, frame.top
        right, below = frame.whole[1] - grid[1] - left, frame.whole[0] - grid[0] - top
        inputs = pad(pixels, (left, right, top, below), value=_GREY)
        found = self._twin()(inputs.half() if self._half else inputs)
        while isinstance(found, (list, tuple)):
            # Boxes and scores come first; masks and what a training wants follow.
            found = found[0]
        boxes, scores = self._read(found.float())
        if not self._queries:
            boxes = boxes - boxes.new_tensor([left, top, left, top])
            boxes = boxes / boxes.new_tensor([grid[1], grid[0]] * 2)
        boxes = boxes * boxes.new_tensor([size[1], size[0]] * 2)
        # Not so: `scores >= floor`. NaN must not pass as a candidate left out.
        kept = ~(scores.amax(-1, keepdim=True) < self._floor)
        return Candidates(boxes, torch.where(kept, scores, 0.0), self.labels)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What the head looks at, "neck.0" the finest level; see
        `vps.core.detector.FeatureDetector`."""
        layers, head = self.model.model, self.model.model[-1]
        levels = [layers[place] if place >= 0 else layers[place - 1] for place in head.f]
        return pyramid_of(levels, self._placement)

    def _placement(self, grid: tuple[int, int]) -> Placement:
        """Where pixels stand in a frame whose sides the model's stride divides."""
        if self._queries:
            return Placement(grid)
        below, right = (-side % self._stride for side in grid)
        whole = grid[0] + below, grid[1] + right
        return Placement(whole, round(below / 2 - 0.1), round(right / 2 - 0.1))

    def _twin(self) -> Any:
        """A copy that shares its weights, and whose head keeps all: the head notes sizes, too."""
        twin = share(self.model)
        twin.model = share(self.model.model)
        head = twin.model[-1] = share(self.model.model[-1])
        head.export = False
        if self._queries:
            head.postprocess = lambda boxes, scores: torch.cat([boxes, scores], dim=-1)
        else:
            head.postprocess = lambda rows: rows  # of heads that end in a top-k of their own
        return twin

    def _read(self, found: Tensor) -> tuple[Tensor, Tensor]:
        """xyxy boxes (B, N, 4), in pixels of the frame or for queries in [0, 1], and scores."""
        classes = len(self.labels)
        if self._queries:
            return cxcywh_to_xyxy(found[..., :4]), found[..., 4 : 4 + classes]
        head = self.model.model[-1]
        ends = bool(getattr(head, "end2end", False))
        rows = found if ends else found.transpose(1, 2)
        boxes, scores = rows[..., :4], rows[..., 4 : 4 + classes]
        if isinstance(head, heads.OBB):
            boxes = _upright(boxes, rows[..., -1])
        elif not (ends or head.xyxy):
            boxes = cxcywh_to_xyxy(boxes)
        return boxes, scores


def _upright(boxes: Tensor, angle: Tensor) -> Tensor:
    """The xyxy boxes (..., 4) around cxcywh boxes that are turned by an angle (...) in radians."""
    centre, sides = boxes[..., :2], boxes[..., 2:] / 2
    across, along = angle.cos().abs(), angle.sin().abs()
    width = sides[..., 0] * across + sides[..., 1] * along
    height = sides[..., 0] * along + sides[..., 1] * across
    half = torch.stack([width, height], dim=-1)
    return torch.cat([centre - half, centre + half], dim=-1)


def _names(labels: Sequence[str] | Mapping[int, str], count: int) -> tuple[str, ...]:
    names = list(labels.values()) if isinstance(labels, Mapping) else list(labels)
    if isinstance(labels, str) or len(set(names)) != len(names) or len(names) != count:
        raise InputError(f"the model scores {count} classes; give as many different labels")
    return tuple(map(str, names))


def _trained_with(model: Any) -> Any:
    settings = getattr(model, "args", None)
    return settings.get("imgsz") if isinstance(settings, dict) else getattr(settings, "imgsz", None)


def _checked_size(size: Any) -> tuple[int, int]:
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) == 1:
        sides = sides * 2
    if len(sides) != 2 or not all(isinstance(side, int) and side >= 32 for side in sides):
        raise InputError(f"imgsz must be one or two whole numbers of pixels from 32 on, got {size}")
    return sides


def load_ultralytics(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    weights: str | PathLike[str] | None = None,
    imgsz: int | None = None,
    floor: float = 0.001,
) -> UltralyticsDetector:
    """A model of Ultralytics by its YAML file, with weights of a state dict.

    The library's own checkpoints (.pt) hold whole objects, and reading those runs what is in them:
    they are not read here. Where you trust one, load it and save its weights once:

        from safetensors.torch import save_model
        save_model(YOLO("yolo11n.pt").model.float(), "yolo11n.safetensors")

    or take what the library loaded: `detectors.wrap(YOLO("yolo11n.pt"))`.

    Args:
        source: a model's YAML file, one's own or the name of one that the library brings.
        labels: one name a class, in order; by default those of the YAML file, or their numbers.
        device: "cpu", "cuda", "cuda:N" or "mps".
        dtype: "float32".
        weights: a file with a state dict, as torch.save (.pth) or safetensors writes it.
        imgsz: the pixels of an image's longer side; by default 640.
        floor: see `UltralyticsDetector`.

    Raises:
        InputError: no such model, weights that are missing, a pickle of objects, or of another
            model, or a setting out of range.
    """
    model = read_model(source, weights, device, dtype)
    return UltralyticsDetector(
        model, labels=labels, name=f"ultralytics:{source}", imgsz=imgsz, floor=floor
    )

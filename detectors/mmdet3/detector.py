"""The detectors of mmdet 3: any config with a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from detectors.mmdet3.candidates import find_candidates, find_mmdet_head
from detectors.mmdet3.checkpoint import read_mmdet_model
from detectors.mmdet3.pipeline import Pipeline
from detectors.shared.features import Placement, levels_within, multiple_of
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch, choose_device, scale_boxes
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.core.extras import require
from vps.errors import InputError

ops: Any = require("mmcv.ops", extra="mmdet")


class MMDetDetector(Differentiable):
    """A detector of mmdet; a `vps.core.detector.Detector`.

    Candidates are all anchors, points or queries of the model's head, or in two stages all
    proposals; where each class has a box of its own, all pairs of a proposal and a label, of which
    each scores 0 for the other labels. What the first of two stages drops is part of the model.
    Scores are those that the head compares and ranks, e.g. class score times centreness. Soft-NMS
    and score voting, which change scores or boxes after the candidates, do not take part. Boxes
    that the head drops for their size score 0.

    A RetinaNet has 200,000 anchors of 80 classes in an image. So candidates that reach `floor` with
    no label are left out, which changes s(S) by less than that; 0 keeps all.

    Gradients stop at the proposals of a stage for the next one, as in training.

    May be used from several threads.

    Args:
        model: a detector of mmdet, in evaluation mode.
        labels: one name a class.
        pipeline: the transforms of its test pipeline.
        name: what reports call the detector.
        floor: see above; in [0, 1).

    Raises:
        InputError: a model without all candidates (see
            `detectors.mmdet3.candidates.find_mmdet_head`), one in training mode, as many labels as
            it has no classes, or a floor out of range.
    """

    def __init__(
        self,
        model: Any,
        labels: Sequence[str],
        pipeline: Pipeline,
        *,
        name: str = "mmdet",
        floor: float = 0.001,
    ) -> None:
        head = find_mmdet_head(model)
        classes = head.num_classes
        if len(set(labels)) != len(labels) or len(labels) != classes:
            raise InputError(f"the model scores {classes} classes; give as many different labels")
        if model.training:
            raise InputError("the model is in training mode; call model.eval() first")
        if not 0 <= floor < 1:
            raise InputError(f"floor must be at least 0 and less than 1, got {floor}")
        self.name = name
        self.labels = tuple(labels)
        self.device = next(model.parameters()).device
        self.model = model
        self._pipeline = pipeline
        self._floor = floor
        self._smallest = (getattr(head, "test_cfg", None) or {}).get("min_bbox_size", -1)

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image as the test pipeline resizes it; see `vps.core.detector.Detector.prepare`."""
        return self._pipeline.resize(image).to(self.device)

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All candidates that reach the floor; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: a head that turns out to drop candidates in a way of its own.
        """
        grid = check_batch(pixels)
        frame = self._pipeline.frame(grid)
        data = {"inputs": list(frame.place(pixels)), "data_samples": frame.samples(len(pixels))}
        # Swaps channels, normalises, and pads to what the model can divide.
        data = self.model.data_preprocessor(data, False)
        rows = find_candidates(self.model, data["inputs"], data["data_samples"], self._floor)
        most = max(len(boxes) for boxes, _ in rows)
        boxes, scores = (
            torch.stack([pad(part, (0, 0, 0, most - len(part))) for part in parts]).float()
            for parts in zip(*rows, strict=True)
        )
        boxes = scale_boxes(boxes, grid, size)
        if self._smallest >= 0:
            whole = (boxes[..., 2:] - boxes[..., :2] > self._smallest).all(-1, keepdim=True)
            scores = scores * whole
        return Candidates(boxes, scores, self.labels)

    @torch.no_grad()
    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What the neck, or a backbone without one, gives to the head, "neck.0" the finest level;
        see `vps.core.detector.FeatureDetector`. A black image tells how many levels there are."""
        height, width = self.prepare(np.zeros((480, 640, 3), np.uint8)).shape[1:]
        whole = self._placement((height, width)).whole
        trial = self.model.extract_feat(torch.zeros(1, 3, *whole, device=self.device))
        module = self.model.neck if self.model.with_neck else self.model.backbone
        return levels_within(module, trial, self._placement)

    def _placement(self, grid: tuple[int, int]) -> Placement:
        """Where pixels stand in what the model gets: the frame, padded to what it can divide."""
        divisor = getattr(self.model.data_preprocessor, "pad_size_divisor", 1)
        return multiple_of(divisor)(self._pipeline.frame(grid).size)


def load_mmdet(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    weights: str | PathLike[str] | None = None,
    floor: float = 0.001,
) -> MMDetDetector:
    """A detector of mmdet 3 from a config and a checkpoint.

    A config of mmdet is a Python program, and is run: use none that you would not run. The
    checkpoint is read without running anything.

    Args:
        source: the config file.
        labels: the names of the classes in order, if neither checkpoint nor config tells.
        device: "cpu", "cuda" or "cuda:N".
        dtype: "float32"; mmdet's operators do not know the others everywhere.
        weights: the checkpoint, as mmengine saves it.
        floor: see `MMDetDetector`.

    Raises:
        InputError: a file is missing or damaged; the config fails, or describes no detector that
            can be built, or one whose head has no list of all candidates, or a test pipeline that
            does more than resize and pad; the checkpoint does not fit it or is not only weights;
            labels that are missing or not as many as the classes; or a device, dtype or floor that
            cannot be used.
    """
    if not source or weights is None:
        raise InputError(
            "mmdet needs a config and a checkpoint: mmdet:CONFIG.py with the option "
            "weights=FILE.pth"
        )
    if dtype != "float32":
        raise InputError(f"mmdet models run in float32 here, not in {dtype}")
    place = choose_device(device)
    if place.type == "cuda" and ops.get_compiling_cuda_version() == "not available":
        raise InputError("mmcv was built without CUDA; build it where nvcc is, or use cpu")
    config, checkpoint = Path(source).expanduser(), Path(weights).expanduser()
    model, names, pipeline = read_mmdet_model(config, checkpoint, labels)
    return MMDetDetector(model.to(place), names, pipeline, name=f"mmdet:{source}", floor=floor)

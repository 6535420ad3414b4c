"""A YOLO of Ultralytics' own layers, tiny and random, as YAML file and state dict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors import load
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

SIDE = 64
THRESHOLD, NMS_IOU = 0.5, 0.5
LAYERS = """
nc: 3
kpt_shape: [5, 3]
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[2, 3], 1, {head}]
"""
HEADS = {
    "detect": "Detect, [nc]",
    "end2end": "v10Detect, [nc]",
    "segment": "Segment, [nc, 4, 8]",
    "pose": "Pose, [nc, [5, 3]]",
    "obb": "OBB, [nc, 1]",
    "queries": "RTDETRDecoder, [nc, 16, 12, 2, 2, 1]",
}


def write_yaml(folder: Path, head: str = "detect") -> Path:
    path = folder / "model.yaml"
    path.write_text(LAYERS.replace("{head}", HEADS[head]), encoding="utf-8")
    return path


def build(folder: Path, head: str = "detect") -> Any:
    """A random `YOLO`, or `RTDETR`, whose scores and boxes differ from place to place."""
    from ultralytics import RTDETR, YOLO

    torch.manual_seed(0)
    kind = RTDETR if head == "queries" else YOLO
    task = {} if head in ("detect", "end2end", "queries") else {"task": head}
    yolo = kind(str(write_yaml(folder, head)), **task)
    with torch.no_grad():
        for name, parameter in yolo.model.named_parameters():
            if parameter.ndim > 1 and "dfl" not in name:
                parameter.add_(torch.randn_like(parameter) * 0.15)
            elif name.endswith("bias") and "cv2" in name and len(parameter) == 64:
                # Of the distances to the sides of a box, short ones.
                parameter.copy_((8 - 4 * torch.arange(16.0)).repeat(4))
            elif name.endswith("bias") and ("cv3" in name or "score_head" in name):
                parameter.add_(torch.rand_like(parameter) * 5)
    yolo.model.eval()
    return yolo


def save(folder: Path) -> None:
    from safetensors.torch import save_file

    state = {name: value.clone() for name, value in build(folder).model.state_dict().items()}
    save_file(state, folder / "model.safetensors")


def load_model(folder: Path, device: str) -> Detector:
    weights = folder / "model.safetensors"
    name = f"ultralytics:{folder / 'model.yaml'}"
    return load(name, weights=weights, device=device, imgsz=SIDE, floor=0)


def found_by(yolo: Any, image: np.ndarray, threshold: float = THRESHOLD) -> Own:
    """The library's own `predict`, which takes BGR."""
    (found,) = yolo.predict(
        np.ascontiguousarray(image[..., ::-1]),
        conf=threshold,
        iou=NMS_IOU,
        imgsz=SIDE,
        max_det=10_000,
        verbose=False,
    )
    rows = found.boxes if found.obb is None else found.obb
    boxes: Tensor = rows.xyxy
    return Own(boxes, rows.conf, [found.names[int(one)] for one in rows.cls])


def own_detections(folder: Path, image: np.ndarray) -> Own:
    from safetensors.torch import load_file
    from ultralytics import YOLO

    yolo = YOLO(str(folder / "model.yaml"))
    yolo.model.load_state_dict(load_file(folder / "model.safetensors"))
    yolo.model.eval()
    return found_by(yolo, image)


CASES = [
    Case(
        "ultralytics",
        save=save,
        load=load_model,
        needs=("ultralytics", "safetensors"),
        weights="model.safetensors",
        model=lambda detector: detector.model,
        own=own_detections,
        reduction=Reduction(threshold=THRESHOLD, nms_iou=NMS_IOU),
        # The library rounds where a resized image ends.
        tolerance=1e-2,
    )
]

"""Models of torchvision, mmdet, groundingdino-py and Ultralytics, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detectors.wrapping.modes import evaluated
from vps.core.detector import Detector
from vps.errors import InputError

_COCO_CLASSES = 91


def of_torchvision(
    model: Any,
    *,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    floor: float = 0.001,
) -> Detector:
    """A detector of torchvision; see `detectors.torchvision_models.detector.TorchvisionDetector`.

    Without labels, a model with as many classes as the published ones has those of COCO.
    """
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights as Published

    from detectors.torchvision_models.detector import TorchvisionDetector
    from detectors.torchvision_models.heads import count_classes

    if labels is None:
        classes = count_classes(model)
        if classes != _COCO_CLASSES:
            raise InputError(
                f"the {type(model).__name__} scores {classes} classes; give their names as labels, "
                "without the background"
            )
        labels = Published.DEFAULT.meta["categories"]
    dtype = next(model.parameters()).dtype
    model = evaluated(model)
    called = name or f"torchvision {type(model).__name__}"
    return TorchvisionDetector(model, labels, name=called, floor=floor, dtype=dtype)


def of_mmdet(
    model: Any,
    *,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    floor: float = 0.001,
) -> Detector:
    """A model as `init_detector` of mmdet gives it, with its config as `cfg`."""
    from detectors.mmdet3.checkpoint import labels_in_memory, pipeline_of
    from detectors.mmdet3.detector import MMDetDetector

    settings = getattr(model, "cfg", None)
    if settings is None:
        raise InputError(
            f"the {type(model).__name__} has no cfg, which says how images are resized; take what "
            "init_detector of mmdet gives"
        )
    names = labels_in_memory(model, settings, labels)
    pipeline = pipeline_of(settings)
    called = name or f"mmdet {type(model).__name__}"
    return MMDetDetector(evaluated(model), names, pipeline, name=called, floor=floor)


def of_groundingdino(
    model: Any,
    *,
    labels: Sequence[str] | None = None,
    name: str = "groundingdino",
    min_size: int = 800,
    max_size: int = 1333,
) -> Detector:
    """What `load_model` of groundingdino-py gives, or its `Model`."""
    from detectors.grounding_dino.original import OriginalGroundingDino
    from detectors.grounding_dino.original_checkpoint import in_memory
    from detectors.shared.prompts import required_labels

    names = required_labels(labels)
    model = getattr(model, "model", model)
    checkpoint = in_memory(evaluated(model), (min_size, max_size))
    return OriginalGroundingDino(checkpoint, names, name=name)


def of_ultralytics(
    model: Any,
    *,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    imgsz: int | None = None,
    floor: float = 0.001,
) -> Detector:
    """A `YOLO`, `RTDETR`, `YOLOWorld` or the torch model in one; see
    `detectors.ultralytics_models.detector.UltralyticsDetector`."""
    from detectors.ultralytics_models.detector import UltralyticsDetector

    inner = getattr(model, "model", model) if hasattr(model, "predictor") else model
    if isinstance(inner, str) or not hasattr(inner, "named_modules"):
        raise InputError(
            f"the {type(model).__name__} runs an exported file; take an ONNX file by the detector "
            "onnx:FILE.onnx"
        )
    size = imgsz or getattr(model, "overrides", {}).get("imgsz")
    called = name or f"ultralytics {type(model).__name__}"
    return UltralyticsDetector(
        evaluated(inner), labels=labels, name=called, imgsz=size, floor=floor
    )

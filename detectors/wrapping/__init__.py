"""Detectors out of what people have in memory: models of many libraries, and functions."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from detectors.wrapping.channels import ORDERS, in_order
from detectors.wrapping.modes import evaluated
from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.names import choose
from vps.errors import InputError

_KINDS = {
    "transformers.pipelines.object_detection.ObjectDetectionPipeline": "hugging_face:of_pipeline",
    "transformers.pipelines.zero_shot_object_detection.ZeroShotObjectDetectionPipeline": (
        "hugging_face:of_pipeline"
    ),
    "transformers.modeling_utils.PreTrainedModel": "hugging_face:of_model",
    "torchvision.models.detection.generalized_rcnn.GeneralizedRCNN": "libraries:of_torchvision",
    "torchvision.models.detection.retinanet.RetinaNet": "libraries:of_torchvision",
    "torchvision.models.detection.fcos.FCOS": "libraries:of_torchvision",
    "torchvision.models.detection.ssd.SSD": "libraries:of_torchvision",
    "mmdet.models.detectors.base.BaseDetector": "libraries:of_mmdet",
    "groundingdino.models.GroundingDINO.groundingdino.GroundingDINO": "libraries:of_groundingdino",
    "groundingdino.util.inference.Model": "libraries:of_groundingdino",
    "ultralytics.engine.model.Model": "libraries:of_ultralytics",
    "ultralytics.nn.tasks.BaseModel": "libraries:of_ultralytics",
}
"""By the full name of a class of the model: what wraps it, in this package."""

_AROUND = {
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
}
"""What models are put into, and where they are in it."""


def wrap(
    model: Any,
    *parts: Any,
    labels: Sequence[str] | dict[int, str] | None = None,
    name: str | None = None,
    channels: str | None = None,
    **options: Any,
) -> Detector:
    """A detector of a model in memory, or of a function that detects in an image.

        wrap(model, processor, labels=["cat", "dog"])      of transformers, labels where it is asked
        wrap(pipeline("object-detection", ...))            also zero-shot-object-detection
        wrap(fasterrcnn_resnet50_fpn(weights="DEFAULT"))   of torchvision
        wrap(init_detector(config, checkpoint))            of mmdet
        wrap(load_model(config, checkpoint), labels=["cat"])          of groundingdino-py
        wrap(YOLO("yolo11n.pt"))                           of Ultralytics
        wrap(callback, labels=["cat", "dog"])              image -> sv.Detections, or boxes, scores

    Models keep their weights, modes and settings. One that is in training mode, wholly or in part,
    is run by a copy in evaluation mode that shares its weights; a UserWarning says so.

    Args:
        model: as above. A detector already is one, and comes back.
        parts: what belongs to it: of a model of transformers, its processor, or image processor and
            tokenizer.
        labels: of an open vocabulary, what to look for; of others, the names of the classes where
            the model does not bring them. Of a function, the names that it may say, or for numbers
            the names in their order, or by number: {1: "cat", 2: "dog"}.
        name: what reports call the detector.
        channels: "rgb" or "bgr", the order in which the model or function was trained to get
            colours; images are RGB and are turned round for "bgr". Where nothing is said, RGB is
            taken; if the first image scores clearly higher the other way round, a UserWarning says
            so. That takes a pass at the first call, which nothing counts.
        options: of the kind that wraps it: see `detectors.wrapping.functions.of_function` for
            functions (takes, boxes, units, size, device), and the loaders of the adapters
            (floor, min_size, imgsz ...).

    Raises:
        InputError: nothing that can be wrapped, parts or labels that are missing or do not fit, or
            an option that its kind does not have.
        MissingExtraError: the library of the model is not installed.
    """
    if channels is not None:
        choose(ORDERS, channels, "order of channels")
    if isinstance(model, Detector):
        if options or parts or name is not None:
            given = [*options, *(["parts"] if parts else []), *(["name"] if name else [])]
            raise InputError(f"{model.name} is a detector already: it takes no {given[0]}")
        return _with_order(_asked(model, labels), channels)
    model = _inside(model)
    of_kind = _wrapper(model, options)
    parameters = inspect.signature(of_kind).parameters.values()
    known = {one.name: one for one in parameters if one.kind is one.KEYWORD_ONLY}
    for option in options:
        choose(known, option, f"option of wrap, for a {type(model).__name__},")
    settings = {"labels": labels, **options}
    if name is not None:
        settings["name"] = name
    detector: Detector = of_kind(model, *parts, **settings)
    return _with_order(detector, channels)


def _asked(detector: Detector, labels: Any) -> Detector:
    if labels is None or tuple(labels) == tuple(detector.labels):
        return detector
    if not isinstance(detector, OpenVocabularyDetector):
        raise InputError(f"{detector.name} has labels of its own, and takes no others")
    return detector.with_labels(tuple(labels))


def _inside(model: Any) -> Any:
    """The model itself, out of what trains it on several devices or compiles it."""
    for full in _lineage(model):
        if full in _AROUND:
            return _inside(getattr(model, _AROUND[full]))
    return model


def _wrapper(model: Any, options: dict[str, Any]) -> Any:
    """What wraps a model."""
    here = next((_KINDS[full] for full in _lineage(model) if full in _KINDS), None)
    if here is None:
        if not callable(model):
            raise InputError(
                f"a {type(model).__name__} cannot be wrapped: give a detector, a model of a "
                "library that is known, or a function that detects in an image"
            )
        if isinstance(model, nn.Module) and "takes" not in options:
            raise InputError(
                f"a {type(model).__name__} is of no library that is known; say what it takes by "
                "takes='image', 'pil' or 'batch', or wrap a function that calls it"
            )
        here = "functions:of_function"
    module, _, function = here.partition(":")
    return getattr(importlib.import_module(f"detectors.wrapping.{module}"), function)


def _lineage(model: Any) -> list[str]:
    """The full names of a model's class and of those that it is derived from."""
    return [f"{one.__module__}.{one.__qualname__}" for one in type(model).__mro__]


def _with_order(detector: Detector, channels: str | None) -> Detector:
    """The detector given its colours in an order; see `wrap`."""
    if isinstance(detector, OpenVocabularyDetector) or hasattr(detector, "score_targets"):
        # They come with a processor of their own, and can do more than a mere detector.
        if channels == "bgr":
            raise InputError(f"{detector.name} gets its images by its processor, which takes RGB")
        return detector
    if channels == "rgb":
        return detector
    return in_order(detector, swap=channels == "bgr")


__all__ = ["evaluated", "wrap"]

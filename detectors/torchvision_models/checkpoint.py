"""Torchvision's detectors with weights that are published or lie in a file."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torchvision import models

from detectors.shared.weight_files import near_names
from detectors.shared.weights import read_state_dict
from detectors.torchvision_models.heads import find_torchvision_head
from vps.core.files import is_address
from vps.core.names import choose
from vps.errors import InputError, one_line

# The bias of the layer that scores classes, and of the one with four numbers for each of the places
# that the first scores at a time; in the R-CNNs that is one.
SCORES = {
    "roi_heads.box_predictor.cls_score.bias": None,
    "head.classification_head.cls_logits.bias": "head.regression_head.bbox_reg.bias",
    "head.classification_head.module_list.0.bias": "head.regression_head.module_list.0.bias",
    "head.classification_head.module_list.0.1.bias": "head.regression_head.module_list.0.1.bias",
}
# torchvision runs their published weights with an epsilon of 0 in the frozen batch norms, and so
# fine-tunes them.
NO_EPSILON = (
    "fasterrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
)


def read_torchvision_model(
    source: str, weights: str | PathLike[str] = "DEFAULT", labels: Sequence[str] | None = None
) -> tuple[Any, Sequence[str]]:
    """A model for inference on the CPU, and the names of its classes.

    Args:
        source: who builds it, see `detectors.torchvision_models.detector.load_torchvision`.
        weights: the name of published weights, or a file.
        labels: the names of the classes, where the weights do not bring them.

    Raises:
        InputError: as for `detectors.torchvision_models.detector.load_torchvision`.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    builder, published = _find_builder(source)
    if str(weights) in published:
        if labels is not None:
            raise InputError(f"{source} {weights} brings its own labels; give it no others")
        where = f"{source} {weights}"
        state = _fetch(published[str(weights)])
        labels = published[str(weights)].meta["categories"]
    else:
        where = str(weights)
        state = _read_file(Path(weights).expanduser(), published)
    classes = _count_classes(state, where)
    if labels is None:
        labels = next((known.meta["categories"] for known in published.values()), ())
        if len(labels) != classes:
            raise InputError(
                f"{where} scores {classes} classes; give the labels, without the background, as "
                'detector.labels in a config or --prompt "cat . dog ."'
            )
    model = builder(num_classes=classes)
    find_torchvision_head(model)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{where} does not fit {source}: {one_line(error)}") from error
    if source in NO_EPSILON and is_frozen(state):
        clear_epsilon(model.backbone)
    return model.eval().requires_grad_(False), labels


def set_sizes(model: Any, min_size: int | None, max_size: int | None) -> None:
    """Change the size to which a model resizes images; None leaves it.

    Raises:
        InputError: the model has a fixed size, or a size is less than 1 pixel.
    """
    if min_size is None and max_size is None:
        return
    transform = model.transform
    if transform.fixed_size is not None:
        raise InputError(f"{type(model).__name__} resizes every image to {transform.fixed_size}")
    if any(size is not None and size < 1 for size in (min_size, max_size)):
        raise InputError(f"min_size and max_size must be 1 or more, got {min_size} and {max_size}")
    transform.min_size = transform.min_size if min_size is None else (min_size,)
    transform.max_size = transform.max_size if max_size is None else max_size


def is_frozen(state: Mapping[str, Tensor]) -> bool:
    """Whether the weights were trained with frozen batch norms, which count no batches."""
    keys = [key for key in state if key.startswith("backbone.body.")]
    return not any(key.endswith("num_batches_tracked") for key in keys)


def clear_epsilon(backbone: nn.Module) -> None:
    """Set the epsilon of all batch norms to next to nothing: torch refuses 0."""
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-20


def _find_builder(source: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What builds a model, given `num_classes`, and its published weights by name."""
    if ":" not in source:
        names = models.list_models(module=models.detection)
        choose(dict.fromkeys(names), source, "model of torchvision")
        builder = models.get_model_builder(source)
        published = dict(models.get_model_weights(source).__members__)
        return partial(builder, weights=None, weights_backbone=None), published
    module, _, function = source.partition(":")
    try:
        return getattr(importlib.import_module(module), function), {}
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{source} is no function that can be imported: {error}") from error


def _fetch(published: Any) -> dict[str, Tensor]:
    try:
        return published.get_state_dict(
            progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except Exception as error:
        raise InputError(
            f"{published} cannot be fetched: {one_line(error)}; fetch {published.url} where there "
            "is a network, and give the file as weights"
        ) from error


def _read_file(path: Path, published: Mapping[str, Any]) -> dict[str, Tensor]:
    if published and not path.exists() and not is_address(path):
        raise InputError(
            f"there are no weights {path}{near_names(path)}; give a file, or published weights: "
            f"{', '.join(published)}"
        )
    return read_state_dict(path, SCORES)


def _count_classes(state: Mapping[str, Tensor], where: str) -> int:
    """How many classes the weights score, with the background if they know it."""
    for classes, sides in SCORES.items():
        if classes in state and (sides is None or sides in state):
            places = 1 if sides is None else state[sides].numel() // 4
            return state[classes].numel() // max(1, places)
    raise InputError(f"{where} is of none of the detectors of torchvision: no layer scores classes")

"""Where the detectors of transformers have features of places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from detectors.shared.features import GridPlace, first_of, no_layers, on_pixels, pyramid_of
from vps.core.detector import FeatureLayer

_NECKS = ("decoder_input_proj", "input_proj", "input_projection")
"""What the decoder of a DETR looks at, or the encoder before it: a level each, or one."""


def closed_set_layers(name: str, model: Any, place: GridPlace) -> dict[str, FeatureLayer]:
    """The layers of a closed-set detector.

    Args:
        name: of the detector, for the message.
        model: of `AutoModelForObjectDetection`.
        place: where pixels stand in its input.

    Raises:
        InputError: none is known of such a model.
    """
    inner = model.base_model
    if hasattr(inner, "embeddings") and hasattr(inner, "encoder"):
        return yolos_layers(inner, model.config.num_detection_tokens, place)
    inner = getattr(inner, "model", inner)
    levels = next((getattr(inner, neck) for neck in _NECKS if hasattr(inner, neck)), None)
    if levels is None:
        raise no_layers(name, model)
    return pyramid_of(levels if isinstance(levels, nn.ModuleList) else [levels], place)


def yolos_layers(model: Any, detections: int, place: GridPlace) -> dict[str, FeatureLayer]:
    """The last layer of YOLOS whose patches are still looked at: that before the last.

    Args:
        model: a YolosModel.
        detections: how many tokens, behind the class token and the patches, become detections.
        place: where pixels stand in its input.
    """
    layers: Sequence[nn.Module] = model.encoder.layer
    seen = layers[-2] if len(layers) > 1 else model.embeddings
    return {"encoder": FeatureLayer(seen, first_of, on_pixels(place, before=1, after=detections))}


def owl_layers(model: Any, place: GridPlace) -> dict[str, FeatureLayer]:
    """The last layer of the image tower of an OWL, without the class token."""
    layer = model.base_model.vision_model.encoder.layers[-1]
    return {"encoder": FeatureLayer(layer, first_of, on_pixels(place, before=1))}


def omdet_layers(model: Any, place: GridPlace) -> dict[str, FeatureLayer]:
    """What OmDet-Turbo's decoder looks at."""
    return pyramid_of(model.decoder.channel_projection_layers, place)

"""Where the transformers of transformers attend in full, and how to have them tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from torch import nn

from detectors.shared.features import GridPlace, item, on_pixels
from vps.core.detector import AttentionLayers
from vps.errors import InputError

_FULL = ("detr", "conditional_detr", "table-transformer")
"""Types of models whose encoder and decoder attend to all of the image."""


@contextmanager
def attending(model: Any, layers: AttentionLayers) -> Iterator[AttentionLayers]:
    """Within the block, the model computes its attention in the open and gives probabilities.

    All of its threads then do; the scores are the same beyond float noise.
    """
    # How a first layer's queries attend does not depend on the pixels, but has a gradient, too.
    frozen = [one for one in model.parameters() if not one.requires_grad]
    configs = {id(own): own for part in model.modules() if (own := getattr(part, "config", None))}
    kept = [
        (config, config._attn_implementation, config.output_attentions)
        for config in configs.values()
    ]
    try:
        for config, _, _ in kept:
            config._attn_implementation = "eager"
            config.output_attentions = True
        for parameter in frozen:
            parameter.requires_grad_(True)
        yield layers
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
        for config, implementation, told in kept:
            # The other way round: what is fast cannot tell.
            config.output_attentions = told
            config._attn_implementation = implementation


def closed_set_attention(name: str, model: Any, place: GridPlace) -> AttentionLayers:
    """The attention of a closed-set detector.

    Args:
        name: of the detector, for the message.
        model: of `AutoModelForObjectDetection`.
        place: where pixels stand in its input.

    Raises:
        InputError: it attends to some places only, as Deformable DETR and its heirs, or in a way
            that is not known.
    """
    inner, kind = model.base_model, model.config.model_type
    if kind == "yolos":
        found = slice(-model.config.num_detection_tokens, None)
        return _of_tokens(inner.encoder.layer, found, place, after=-found.start)
    if kind not in _FULL:
        return no_attention(name, model, place)
    encoder = tuple(layer.self_attn for layer in inner.encoder.layers)
    decoder = tuple((layer.self_attn, layer.encoder_attn) for layer in inner.decoder.layers)
    return AttentionLayers(encoder, decoder, slice(None), item(1), on_pixels(place))


def no_attention(name: str, model: Any, place: GridPlace) -> NoReturn:
    """Tell that a model attends in another way.

    Raises:
        InputError: always.
    """
    raise InputError(
        f"{name}: a {type(model).__name__} does not attend to all of the image at once, as DETR, "
        "Conditional DETR, Table Transformer, YOLOS and OWL do: take another method (`vps methods` "
        "tells what each needs)"
    )


def owl_attention(name: str, model: Any, place: GridPlace) -> AttentionLayers:
    """That of the image tower of an OWL, all of whose tokens but the first are candidates."""
    layers = model.base_model.vision_model.encoder.layers
    return _of_tokens(layers, slice(1, None), place)


def _of_tokens(
    layers: Sequence[Any], candidates: slice, place: GridPlace, after: int = 0
) -> AttentionLayers:
    """That of an encoder some of whose tokens, behind a class token, become candidates."""
    own: list[nn.Module] = [
        layer.self_attn if hasattr(layer, "self_attn") else layer.attention.attention
        for layer in layers
    ]
    return AttentionLayers(
        tuple(own), (), candidates, item(1), on_pixels(place, before=1, after=after)
    )

"""Florence-2 checkpoints of transformers: model, tokenizer, image settings, and their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from detectors.hf.checkpoint import (
    MODEL_TYPES,
    ImageSettings,
    find_checkpoint,
    loading,
    plain_processor,
    read_hf_model,
    read_images,
    transformers,
)
from detectors.shared.pixels import choose_device, choose_dtype
from vps.errors import InputError

NATIVE = "florence-community/Florence-2-base"


@dataclass(frozen=True)
class Florence2Checkpoint:
    """A loaded model with what belongs to it; shared by detectors that differ in labels.

    Attributes:
        model: Florence2ForConditionalGeneration, in the dtype in which it computes.
        tokenizer: text to tokens and back.
        images: how it wants its images.
        device: where the model is.
        locations: ids of the tokens <loc_0>, <loc_1>, ..., which divide either side of an image
            into as many bins.
        added: ids of all tokens that are no plain text, the locations among them.
        silent: ids of those that mean nothing within an answer: start, end, padding.
        prefix: ids with which the decoder starts, given rather than generated.
        end: id of the token that ends an answer.
        ngram: runs of so many tokens that must not repeat in an answer; 0 if they may.
    """

    model: Any
    tokenizer: Any
    images: ImageSettings
    device: torch.device
    locations: tuple[int, ...]
    added: frozenset[int]
    silent: frozenset[int]
    prefix: tuple[int, ...]
    end: int
    ngram: int

    @property
    def grid(self) -> tuple[int, int]:
        """The (h, w) to which every image is resized."""
        return self.images.grid((1, 1))

    @property
    def answer_limit(self) -> int:
        """The most tokens that the decoder can write after its prefix."""
        return int(self.model.config.text_config.max_position_embeddings) - len(self.prefix)

    @property
    def prompt_limit(self) -> int:
        """The most tokens that a prompt may have: what the image leaves of the encoder's places."""
        vision, (height, width) = self.model.config.vision_config, self.grid
        for size, stride, padding in zip(
            vision.patch_size, vision.patch_stride, vision.patch_padding, strict=True
        ):
            height, width = ((side + 2 * padding - size) // stride + 1 for side in (height, width))
        # One token for each place, and one for their mean.
        return int(self.model.config.text_config.max_position_embeddings) - (height * width + 1)


def read_florence2(
    source: str, *, device: str = "cpu", dtype: str = "float32"
) -> Florence2Checkpoint:
    """Model, tokenizer and image settings of a folder or of a name on the Hugging Face hub.

    Raises:
        InputError: as for `detectors.florence2.detector.load_florence2`.
    """
    computed, folder = choose_dtype(dtype), find_checkpoint(source, "hf-florence-2")
    place = choose_device(device)
    with loading(source):
        _check_format(source, folder)
        types = MODEL_TYPES["hf-florence-2"]
        model = read_hf_model(folder, transformers.Florence2ForConditionalGeneration, types)
        return as_florence2(source, model.to(place, computed), folder)


def as_florence2(source: str, model: Any, folder: str) -> Florence2Checkpoint:
    """A model with the tokenizer and image settings of a folder; call it within `loading`.

    Args:
        source: what messages call it.
        model: in the dtype in which it computes, and on its device.
        folder: what `find_checkpoint` returns.

    Raises:
        InputError: a tokenizer or an image processor that is missing, or of another model.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    images = _images(source, folder)
    settings = model.generation_config
    text = model.config.text_config
    start = _given(settings.decoder_start_token_id, text.decoder_start_token_id)
    first = settings.forced_bos_token_id
    end = int(tokenizer.eos_token_id)
    return Florence2Checkpoint(
        model=model,
        tokenizer=tokenizer,
        images=images,
        device=model.device,
        locations=_locations(source, tokenizer, int(text.vocab_size)),
        added=frozenset(tokenizer.get_added_vocab().values()),
        silent=frozenset({int(tokenizer.bos_token_id), end, int(tokenizer.pad_token_id)}),
        prefix=(start,) if first is None else (start, int(first)),
        end=end,
        ngram=int(settings.no_repeat_ngram_size or 0),
    )


def _check_format(source: str, folder: str) -> None:
    """Microsoft's own checkpoints have the same model type, but run code of their own."""
    config, _ = transformers.PretrainedConfig.get_config_dict(folder)
    if "auto_map" in config:
        raise InputError(
            f"checkpoint {source} runs code of its own, which is not executed here; use one in the "
            f"format of transformers, e.g. {NATIVE}"
        )


def _images(source: str, folder: str) -> ImageSettings:
    """The image settings, if they are of the kind that Florence-2 has."""
    processor = plain_processor("CLIPImageProcessor")
    images = read_images(folder, processor)
    if images.size is None or "height" not in images.size:
        raise InputError(
            f"checkpoint {source}: Florence-2 resizes all images to one height and width, but the "
            f"image processor says {images.size}"
        )
    if processor.from_pretrained(folder).do_center_crop:
        raise InputError(
            f"checkpoint {source}: the image processor crops images to their centre, so that boxes "
            "could not be mapped back; set do_center_crop to false in preprocessor_config.json"
        )
    return images


def _given(*values: int | None) -> int:
    return next(int(value) for value in values if value is not None)


def _locations(source: str, tokenizer: Any, words: int) -> tuple[int, ...]:
    """The ids of <loc_0>, <loc_1>, ... as far as the tokenizer knows them."""
    vocabulary = tokenizer.get_vocab()
    ids: list[int] = []
    while (token := vocabulary.get(f"<loc_{len(ids)}>")) is not None:
        ids.append(int(token))
    if len(ids) < 2:
        raise InputError(
            f"checkpoint {source}: the tokenizer has no location tokens <loc_0>, <loc_1>, ..., "
            f"which Florence-2 writes boxes with; use the tokenizer of {NATIVE}"
        )
    if max(ids) >= words:
        raise InputError(
            f"checkpoint {source}: the tokenizer has a location token with id {max(ids)}, but the "
            f"model knows only {words} tokens; use the tokenizer that belongs to it"
        )
    return tuple(ids)

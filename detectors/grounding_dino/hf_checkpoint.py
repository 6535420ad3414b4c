"""Grounding DINO checkpoints of transformers: model, tokenizer and image settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from detectors.grounding_dino.text_cache import CachedText
from detectors.hf.checkpoint import (
    MODEL_TYPES,
    ImageSettings,
    find_checkpoint,
    loading,
    plain_processor,
    read_hf_model,
    read_images,
    read_tokenizer,
    transformers,
)
from detectors.shared.pixels import choose_device, choose_dtype
from vps.errors import InputError

GROUNDING_DINO = "hf-grounding-dino"
# transformers finds the ends of phrases by these ids, whatever the tokenizer says.
SEPARATOR_IDS = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}


@dataclass(frozen=True)
class GroundingDinoCheckpoint:
    """A loaded model with what belongs to it; shared by detectors that differ in labels."""

    model: Any
    tokenizer: Any
    images: ImageSettings
    device: torch.device
    dtype: torch.dtype

    @property
    def max_tokens(self) -> int:
        """The most tokens that a prompt may have."""
        config = self.model.config
        return int(min(config.max_text_len, config.text_config.max_position_embeddings))


def read_grounding_dino(
    source: str, *, device: str = "cpu", dtype: str = "float32"
) -> GroundingDinoCheckpoint:
    """Model, tokenizer and image settings of a folder or of a name on the Hugging Face hub.

    Raises:
        InputError: as for `detectors.grounding_dino.hf.load_grounding_dino`.
    """
    computed, folder = choose_dtype(dtype), find_checkpoint(source, GROUNDING_DINO)
    place = choose_device(device)
    with loading(source):
        auto = transformers.AutoModelForZeroShotObjectDetection
        model = read_hf_model(folder, auto, MODEL_TYPES[GROUNDING_DINO])
        return as_checkpoint(source, model.to(place), folder, place, computed)


def as_checkpoint(
    source: str, model: Any, folder: str, place: torch.device, dtype: torch.dtype
) -> GroundingDinoCheckpoint:
    """A model with the tokenizer and image settings of a folder; call it within `loading`.

    Args:
        source: what messages call it.
        model: on its device; its text backbone is replaced.
        folder: what `find_checkpoint` returns.
        place: the device.
        dtype: in which it computes.

    Raises:
        InputError: a tokenizer or an image processor that is missing, or of another model.
    """
    tokenizer = read_tokenizer(folder)
    images = read_images(folder, plain_processor("GroundingDinoImageProcessor"))
    _check_separators(source, tokenizer)
    model.model.text_backbone = CachedText(model.model.text_backbone)
    return GroundingDinoCheckpoint(model, tokenizer, images, place, dtype)


def _check_separators(source: str, tokenizer: Any) -> None:
    found = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in SEPARATOR_IDS}
    if found != SEPARATOR_IDS:
        raise InputError(
            f"checkpoint {source}: transformers separates the labels of a prompt by the token ids "
            f"{SEPARATOR_IDS}, but this tokenizer has {found}; use a tokenizer with those"
        )

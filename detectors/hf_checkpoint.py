"""Grounding DINO checkpoints: model, tokenizer and image settings, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from detectors.pixels import choose_device
from detectors.text_cache import CachedText
from vps.errors import InputError
from vps.extras import require

transformers: Any = require("transformers", extra="hf")
SafetensorError: type[Exception] = require("safetensors", extra="hf").SafetensorError

MODEL_TYPES = ("grounding-dino", "mm-grounding-dino")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# transformers finds the ends of phrases by these ids, whatever the tokenizer says.
SEPARATOR_IDS = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}


@dataclass(frozen=True)
class ImageSettings:
    """How a checkpoint wants its images: the part of its image processor that matters here."""

    size: dict[str, int] | None
    resample: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (h, w) to which an image of (H, W) is resized, by the processor's own rounding."""
        if self.size is None:
            return size
        if "height" in self.size:
            return self.size["height"], self.size["width"]
        low, high = min(size), max(size)
        short: float = self.size["shortest_edge"]
        if high / low * short > self.size["longest_edge"]:
            short = self.size["longest_edge"] * low / high
        if low == round(short):
            return size
        grid = max(1, round(short)), max(1, int(short * high / low))
        return grid if size[0] <= size[1] else (grid[1], grid[0])


@dataclass(frozen=True)
class Checkpoint:
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


def read_checkpoint(source: str, *, device: str = "cpu", dtype: str = "float32") -> Checkpoint:
    """Model, tokenizer and image settings of a folder or of a name on the Hugging Face hub.

    Raises:
        InputError: as for `load_checkpoint`.
    """
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype {dtype!r}; use one of {', '.join(DTYPES)}")
    if not source:
        raise InputError("hf-grounding-dino needs a checkpoint: hf-grounding-dino:NAME_OR_FOLDER")
    if source.startswith((".", "/", "~")) and not Path(source).expanduser().is_dir():
        raise InputError(f"there is no checkpoint folder {source}")
    place = choose_device(device)
    folder = str(Path(source).expanduser()) if Path(source).expanduser().is_dir() else source
    try:
        model = _read_model(folder)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        images = _read_images(folder)
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"checkpoint {source} cannot be loaded: {reason}") from error
    _check_separators(source, tokenizer)
    return Checkpoint(model.to(place), tokenizer, images, place, DTYPES[dtype])


def _read_model(folder: str) -> Any:
    config = transformers.AutoConfig.from_pretrained(folder)
    if config.model_type not in MODEL_TYPES:
        raise InputError(
            f"{folder} holds a model of type {config.model_type!r}; "
            f"this adapter runs {' and '.join(MODEL_TYPES)}"
        )
    model, report = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True
    )
    # transformers fills what is missing with random numbers and only warns.
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()})
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} of the model's weights, e.g. {missing[0]}")
    model.model.text_backbone = CachedText(model.model.text_backbone)
    return model.eval().requires_grad_(False)


def _read_images(folder: str) -> ImageSettings:
    # From version 5 on the plain class needs torchvision; nothing here does.
    processor = getattr(transformers, "GroundingDinoImageProcessorPil", None)
    processor = processor or transformers.GroundingDinoImageProcessor
    settings = processor.from_pretrained(folder).to_dict()
    size = {key: int(value) for key, value in settings["size"].items() if value is not None}
    if set(size) not in ({"height", "width"}, {"shortest_edge", "longest_edge"}):
        raise InputError(
            f"{folder}: the image processor's size must give height and width, or shortest_edge "
            f"and longest_edge; got {size}"
        )
    images = ImageSettings(
        size, int(settings["resample"]), tuple(settings["image_mean"]), tuple(settings["image_std"])
    )
    if not settings["do_resize"]:
        images = replace(images, size=None)
    return images if settings["do_normalize"] else replace(images, mean=(0,) * 3, std=(1,) * 3)


def _check_separators(source: str, tokenizer: Any) -> None:
    found = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in SEPARATOR_IDS}
    if found != SEPARATOR_IDS:
        raise InputError(
            f"checkpoint {source}: transformers separates the labels of a prompt by the token ids "
            f"{SEPARATOR_IDS}, but this tokenizer has {found}; use a tokenizer with those"
        )

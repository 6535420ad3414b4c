"""What all adapters of transformers share: a checkpoint's model and image settings, checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vps.errors import InputError
from vps.extras import require

transformers: Any = require("transformers", extra="hf")
SafetensorError: type[Exception] = require("safetensors", extra="hf").SafetensorError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


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


def find_checkpoint(source: str, kind: str) -> str:
    """A folder, or else a name on the Hugging Face hub, as transformers takes it.

    Args:
        source: what the user gave.
        kind: the kind of detector, for the messages.

    Raises:
        InputError: nothing was given, or what looks like a folder is not there.
    """
    if not source:
        raise InputError(f"{kind} needs a checkpoint: {kind}:NAME_OR_FOLDER")
    folder = Path(source).expanduser()
    if source.startswith((".", "/", "~")) and not folder.is_dir():
        raise InputError(f"there is no checkpoint folder {source}")
    return str(folder) if folder.is_dir() else source


def find_dtype(name: str) -> torch.dtype:
    """The dtype of a name.

    Raises:
        InputError: not one of `DTYPES`.
    """
    if name not in DTYPES:
        raise InputError(f"unknown dtype {name!r}; use one of {', '.join(DTYPES)}")
    return DTYPES[name]


@contextmanager
def loading(source: str) -> Iterator[None]:
    """Within the block, what transformers raises about a checkpoint becomes an InputError."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"checkpoint {source} cannot be loaded: {reason}") from error


def read_model(folder: str, auto: Any, model_types: Sequence[str] | None = None) -> Any:
    """A model in float32 for inference; call it within `loading`.

    Args:
        folder: what `find_checkpoint` returns.
        auto: the class of transformers that loads it, e.g. AutoModelForObjectDetection.
        model_types: the `config.model_type`s that are expected; None for all that `auto` knows.

    Raises:
        InputError: a model of another type, or one that lacks weights.
    """
    config = transformers.AutoConfig.from_pretrained(folder)
    if model_types is not None and config.model_type not in model_types:
        raise InputError(
            f"{folder} holds a model of type {config.model_type!r}; "
            f"this adapter runs {' and '.join(model_types)}"
        )
    model, report = auto.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True
    )
    # transformers fills what is missing with random numbers and only warns.
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()})
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} of the model's weights, e.g. {missing[0]}")
    return model.eval().requires_grad_(False)


def read_images(folder: str, processor: Any) -> ImageSettings:
    """The image settings of a checkpoint; call it within `loading`.

    Args:
        folder: what `find_checkpoint` returns.
        processor: the class of its image processor.

    Raises:
        InputError: the processor resizes in a way that `ImageSettings.grid` does not know.
    """
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


def plain_processor(name: str) -> Any:
    """The image processor of transformers with this name that resizes with Pillow.

    From version 5 on, the plain class needs torchvision's resizing, and the Pillow one has a name
    of its own.
    """
    return getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)

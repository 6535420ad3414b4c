"""What all adapters of transformers share: a checkpoint's model and image settings, checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from detectors.names import address_hint
from detectors.shared.stand_ins import check_no_stand_in
from detectors.shared.weight_files import near_names
from vps.core.extras import require
from vps.core.files import is_address
from vps.errors import InputError, MissingExtraError, VpsError, one_line

transformers: Any = require("transformers", extra="hf")
require("safetensors", extra="hf")
_auto: Any = require("transformers.models.auto.modeling_auto", extra="hf")

# The types of models (`config.model_type`) that each kind of detector runs. Those with "ocr" find
# text without naming it, as a map and not as boxes.
MODEL_TYPES = {
    "hf-grounding-dino": ("grounding-dino", "mm-grounding-dino"),
    "hf-florence-2": ("florence2",),
    "hf-zero-shot": ("owlvit", "owlv2", "omdet-turbo"),
    "hf-closed-set": tuple(
        name for name in _auto.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES if "ocr" not in name
    ),
}


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
    if is_address(source):
        raise InputError(f"{kind}:{source} is no checkpoint: {address_hint(source, kind)}")
    folder = Path(source).expanduser()
    if folder.is_file():
        raise InputError(f"{source} is a file; give the folder of the checkpoint: {kind}:FOLDER")
    here = source.startswith((".", "/", "~")) or (len(folder.parts) > 1 and folder.parent.is_dir())
    if (here or source.count("/") > 1) and not folder.is_dir():
        raise InputError(f"there is no checkpoint folder {source}{near_names(folder)}")
    for file in folder.glob("*.safetensors") if folder.is_dir() else ():
        check_no_stand_in(file, f"checkpoint {source}")
    return str(folder) if folder.is_dir() else source


@contextmanager
def loading(source: str) -> Iterator[None]:
    """Within the block, what transformers raises about a checkpoint becomes an error of ours.

    Raises:
        InputError: transformers cannot make a model of these files, whatever the reason.
        MissingExtraError: the model needs a library that is not installed, e.g. timm.
    """
    try:
        yield
    except VpsError:
        raise
    except ImportError as error:
        # What transformers says names the command, and then goes on about notebooks.
        reason = one_line(error, 500).split(" Please note")[0].split(" Note that")[0]
        raise MissingExtraError(f"checkpoint {source}: {reason}") from error
    except Exception as error:
        reason = one_line(error, 500)
        if "trust_remote_code" in reason:
            reason = "it brings code of its own, which is never run; use a class of transformers"
        raise InputError(f"checkpoint {source} cannot be loaded: {reason}") from error


def read_hf_model(folder: str, auto: Any, model_types: Sequence[str] | None = None) -> Any:
    """A model in float32 for inference; call it within `loading`.

    Nothing is fetched beside the checkpoint, and no code of it is run.

    Args:
        folder: what `find_checkpoint` returns.
        auto: the class of transformers that loads it, e.g. AutoModelForObjectDetection.
        model_types: the `config.model_type`s that are expected; None for all that `auto` knows.

    Raises:
        InputError: a model of another type, pickled weights, or weights that are missing or do not
            fit the configuration.
    """
    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if model_types is not None and config.model_type not in model_types:
        raise InputError(f"{folder} {_wrong_type(config.model_type, model_types)}")
    if any(Path(folder).glob("*.bin")) and not any(Path(folder).glob("*.safetensors")):
        raise InputError(
            f"{folder} has pickled weights only, which could run code when they are read; convert "
            "them where you trust them: from_pretrained(folder) of the model's class in "
            "transformers, then save_pretrained(folder)"
        )
    # Else transformers fetches the backbone first, only to overwrite it with the checkpoint's.
    parts: tuple[Any, ...] = (config, getattr(config, "backbone_config", None))
    for part in parts:
        if getattr(part, "use_pretrained_backbone", False):
            part.use_pretrained_backbone = False
    model, report = auto.from_pretrained(
        folder,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    _check_complete(folder, model, report)
    _fill_buffers(model, auto)
    return model.eval().requires_grad_(False)


def _wrong_type(found: str, expected: Sequence[str]) -> str:
    kind = next((kind for kind, types in MODEL_TYPES.items() if found in types), None)
    hint = f"load it as {kind}" if kind else f"this adapter runs {', '.join(expected)}"
    return f"holds a model of type {found!r}; {hint}"


def _check_complete(folder: str, model: Any, report: dict[str, Any]) -> None:
    """Refuse what transformers fills with random numbers after no more than a warning."""
    needed = {name for name, _ in model.named_parameters()}
    # Frozen batch norms hold all four as buffers.
    kept = ("weight", "bias", "running_mean", "running_var")
    needed |= {name for name, _ in model.named_buffers() if name.rpartition(".")[2] in kept}
    missing = sorted(set(report["missing_keys"]) & needed)
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} of the model's weights, e.g. {missing[0]}")
    if report["mismatched_keys"]:
        name = sorted(report["mismatched_keys"])[0][0]
        raise InputError(f"{folder}: the weights do not fit config.json, e.g. {name}")


def _fill_buffers(model: Any, auto: Any) -> None:
    """Make what transformers 4 leaves without values: buffers of timm that are not saved."""
    empty = [name for name, buffer in model.named_buffers() if buffer.is_meta]
    if empty:
        computed = dict(auto.from_config(model.config).named_buffers())
        for name in empty:
            module, _, buffer = name.rpartition(".")
            setattr(model.get_submodule(module), buffer, computed[name])


def read_tokenizer(folder: str) -> Any:
    """The tokenizer of a checkpoint; call it within `loading`.

    Raises:
        InputError: there is none; from version 5 on, transformers then makes an empty one.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise InputError(f"{folder} lacks the files of a tokenizer, e.g. tokenizer.json; add them")
    return tokenizer


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

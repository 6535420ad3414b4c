"""Checkpoints of the original Grounding DINO package: config, text encoder and weights."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from detectors.grounding_dino.original_keys import NOT_OF_THE_MODEL
from detectors.grounding_dino.text_cache import CachedText
from detectors.hf.checkpoint import find_checkpoint, loading
from detectors.shared.pixels import choose_device, choose_dtype
from detectors.shared.watch import share
from detectors.shared.weights import read_state_dict, under_prefix
from vps.core.extras import install_command, require
from vps.errors import InputError, MissingExtraError

transformers: Any = require("transformers", extra="groundingdino")
if int(transformers.__version__.split(".")[0]) > 4:
    raise MissingExtraError(
        "the original Grounding DINO package runs on transformers 4, and here is "
        f"{transformers.__version__}; install what it needs with: "
        f"{install_command('groundingdino')}, or load the model as hf-grounding-dino"
    )
# The package says some things in a way that still works and that its user cannot change.
for _message in ("Importing from timm", "The `device` arg", "`torch.cuda.amp", "torch.meshgrid"):
    warnings.filterwarnings("ignore", message=_message)
_models: Any = require("groundingdino.models", extra="groundingdino")
_text: Any = require("groundingdino.util.get_tokenlizer", extra="groundingdino")
_SHIPPED = Path(require("groundingdino.config", extra="groundingdino").__path__[0])

CONFIGS = {"swint": "GroundingDINO_SwinT_OGC.py", "swinb": "GroundingDINO_SwinB_cfg.py"}


@dataclass(frozen=True)
class OriginalCheckpoint:
    """A loaded model with what belongs to it; shared by detectors that differ in labels.

    Attributes:
        model: takes pixels and, as captions, token ids.
        tokenizer: of its text encoder.
        max_tokens: the most tokens that a prompt may have.
        sides: the length that an image's shorter side gets, and that the longer may not exceed.
        device: where the model lies.
        dtype: in which it computes.
    """

    model: Any
    tokenizer: Any
    max_tokens: int
    sides: tuple[int, int]
    device: torch.device
    dtype: torch.dtype


def read_original(
    config: str,
    weights: str | PathLike[str],
    *,
    text_encoder: str | PathLike[str] | None = None,
    sides: tuple[int, int] = (800, 1333),
    device: str = "cpu",
    dtype: str = "float32",
) -> OriginalCheckpoint:
    """The model of a config with the weights of a checkpoint; nothing else of either is run.

    Raises:
        InputError: as for `detectors.grounding_dino.original.load_original`.
    """
    computed, place = choose_dtype(dtype), choose_device(device)
    _check_sides(sides)
    path = _SHIPPED / CONFIGS[config] if config in CONFIGS else Path(config).expanduser()
    settings = read_original_config(path)
    state = read_state_dict(Path(weights).expanduser())
    tokenizer, bert = _read_text_encoder(str(text_encoder or settings.get("text_encoder_type", "")))
    model = _build(path, settings, tokenizer, bert)
    state = under_prefix(state, model.state_dict(), Path(weights))
    _fill(model, state, f"checkpoint {weights} does not fit config {config}")
    model.eval().requires_grad_(False)
    return _prompted(model.to(place), tokenizer, sides, computed)


def in_memory(model: Any, sides: tuple[int, int] = (800, 1333)) -> OriginalCheckpoint:
    """A model as the package's `load_model` gives it, which stays as it is.

    Args:
        model: in evaluation mode.
        sides: the length that an image's shorter side gets, and that the longer may not exceed.

    Raises:
        InputError: sides that are no whole numbers of pixels in order.
    """
    _check_sides(sides)
    return _prompted(share(model), model.tokenizer, sides, next(model.parameters()).dtype)


def _prompted(
    model: Any, tokenizer: Any, sides: tuple[int, int], dtype: torch.dtype
) -> OriginalCheckpoint:
    """A model, which is changed to be asked by token ids."""
    limit = min(model.max_text_len, model.bert.config.max_position_embeddings)
    model.tokenizer = _TokenIds()
    model.bert = _CachedBert(model.bert).train(model.bert.training)
    place = next(model.parameters()).device
    return OriginalCheckpoint(model, tokenizer, limit, sides, place, dtype)


def _check_sides(sides: tuple[int, int]) -> None:
    if not (all(isinstance(side, int) for side in sides) and 0 < sides[0] <= sides[1]):
        raise InputError(
            f"min_size and max_size must be whole numbers of pixels in order, got {sides}"
        )


def read_original_config(path: Path) -> dict[str, Any]:
    """The settings of a config file, which is a Python file with lines such as `nheads = 8`.

    The package runs the file. Here it is only read, so that a config from elsewhere is no danger.

    Raises:
        InputError: no such file, or a line that does more than set a name to a plain value.
    """
    try:
        lines = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            f"config {path} cannot be read: {error}; give the path of a config file of Grounding "
            f"DINO, or one of {', '.join(CONFIGS)}"
        ) from error
    settings = {}
    for line in lines:
        try:
            match line:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    settings[name] = ast.literal_eval(value)
                case _:
                    raise ValueError("no assignment")
        except (ValueError, TypeError) as error:
            raise InputError(
                f"config {path}, line {line.lineno}: expected NAME = VALUE with a plain value, "
                f"got {ast.unparse(line)[:60]!r}; configs are read, not run"
            ) from error
    return settings


def _read_text_encoder(name: str) -> tuple[Any, Any]:
    """Tokenizer and untrained BERT of a folder or of the hub; weights are not even looked for."""
    if not name:
        raise InputError("the config names no text encoder; give a folder as text_encoder=FOLDER")
    folder = find_checkpoint(name, "groundingdino")
    with loading(f"{name} (the text encoder; give a folder with it as text_encoder=FOLDER)"):
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type != "bert":
            raise ValueError(f"it is of type {config.model_type}, not bert")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        return tokenizer, transformers.BertModel(config)


def _build(path: Path, settings: dict[str, Any], tokenizer: Any, bert: Any) -> Any:
    if not str(settings.get("backbone")).startswith("swin_"):
        # The package would fetch weights for a ResNet.
        raise InputError(f"config {path}: the backbone must be a Swin, e.g. swin_T_224_1k")
    # Recomputing activations saves memory in training only.
    options = {**settings, "use_checkpoint": False, "use_transformer_ckpt": False}
    try:
        with _given_text_encoder(tokenizer, bert):
            return _models.build_model(SimpleNamespace(**options))
    except Exception as error:
        # Settings are checked where they are used, each in its own way.
        reason = str(error).replace("'types.SimpleNamespace' object", "the config")
        raise InputError(
            f"config {path} describes no model: {reason or type(error).__name__}"
        ) from error


@contextmanager
def _given_text_encoder(tokenizer: Any, bert: Any) -> Iterator[None]:
    """Else the package fetches BERT by its name, with weights that a checkpoint then replaces."""
    before = _text.get_tokenlizer, _text.get_pretrained_language_model
    _text.get_tokenlizer, _text.get_pretrained_language_model = lambda _: tokenizer, lambda _: bert
    try:
        yield
    finally:
        _text.get_tokenlizer, _text.get_pretrained_language_model = before


def _fill(model: Any, state: dict[str, Tensor], complaint: str) -> None:
    """Put weights into the model, if they are those of this model."""
    expected = model.state_dict()
    missing = [name for name in expected if name not in state]
    unknown = [name for name in state if name not in expected and name not in NOT_OF_THE_MODEL]
    shapes = [
        f"{name} of {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    found = {"are missing": missing, "have another shape": shapes, "are unknown": unknown}
    if any(found.values()):
        wrong = (f"{len(names)} {what}, e.g. {names[0]}" for what, names in found.items() if names)
        raise InputError(f"{complaint}: of its weights, {'; '.join(wrong)}")
    model.load_state_dict({name: state[name] for name in expected})


class _TokenIds:
    """Stands in for the model's tokenizer: its captions are lists of token ids, equally long."""

    def __call__(self, captions: list[list[int]], **_: Any) -> Any:
        ids = torch.tensor(captions)
        return transformers.BatchEncoding(
            {
                "input_ids": ids,
                "token_type_ids": torch.zeros_like(ids),
                "attention_mask": torch.ones_like(ids),
            }
        )


class _CachedBert(CachedText):
    """`CachedText` for a model that names what it hands to its text encoder."""

    def forward(  # type: ignore[override]
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor, **positions: Tensor
    ) -> Any:
        # In the order of the encoder's own parameters; positions come with sub-sentences only.
        return super().forward(input_ids, attention_mask, token_type_ids, *positions.values())

"""State dicts out of the files that users hand in; no code in them is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from vps.core.extras import require
from vps.errors import InputError

# What training scripts call the weights among the other things that they save.
WRAPPERS = ("model", "state_dict")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The weights in a file of torch.save (.pth) or of safetensors; see `find_state_dict`.

    Raises:
        InputError: no such file, a damaged one, or one that holds something else than weights.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    return find_state_dict(read_file(path), path)


def read_file(path: Path, stand_ins: Sequence[tuple[type, str]] = ()) -> Any:
    """What a file of torch.save or safetensors holds: tensors and plain values.

    Args:
        path: the file.
        stand_ins: classes to make instead of others that a file may name, each with the full name
            of what it stands for.

    Raises:
        InputError: no such file, a damaged one, or one that names anything else.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    if not path.is_file():
        raise InputError(f"there are no weights {path}; give their file as the option weights=FILE")
    if path.suffix == ".safetensors":
        load_file = require("safetensors.torch", extra="hf").load_file
    else:
        load_file = _load_plain
    try:
        with torch.serialization.safe_globals(list(stand_ins)):
            return load_file(path)
    except Exception as error:
        # What a damaged file raises depends on where it is damaged.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"weights {path} cannot be read: they are damaged, or hold more than weights, which "
            "could run code; where you trust them, save model.state_dict() alone, with torch.save "
            f"or safetensors ({reason})"
        ) from error


def find_state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The weights in what a file holds.

    They may stand alone or under "model" or "state_dict", and may be those of a model in
    DataParallel, whose names begin with "module.".

    Raises:
        InputError: there are none; `path` is for the message.
    """
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"weights {path} hold no state dict; save model.state_dict() alone")
    # A plain dict says nothing of versions; with them, batch norms refuse weights of frozen ones.
    state = {str(name): value for name, value in content.items()}
    consume_prefix_in_state_dict_if_present(state, "module.")
    return state


def _load_plain(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)

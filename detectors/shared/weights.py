"""State dicts out of what training scripts save."""

from __future__ import annotations

import warnings
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from detectors.shared.weight_files import read_weight_file
from vps.errors import InputError

WRAPPERS = (
    "model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "module",
    "net",
    "network",
    "weights",
    "params",
)
"""What training scripts call the weights among the other things that they save."""

AVERAGES = (
    "ema",
    "model_ema",
    "ema_model",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema_state_dict",
    "ema_model_state_dict",
    "params_ema",
)
"""What they call the moving average of the weights."""


def read_state_dict(path: Path, names: Collection[str] = ()) -> dict[str, Tensor]:
    """The weights in a file of torch.save (.pth) or of safetensors.

    Args:
        path: the file.
        names: some names of weights that the model has for certain, as for `under_prefix`.

    Raises:
        InputError: no such file, a damaged one, or one that holds something else than weights.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    return under_prefix(find_state_dict(read_weight_file(path), path), names, path)


def find_state_dict(content: Any, path: Path, *, averages: bool = True) -> dict[str, Tensor]:
    """The weights in what a file holds: alone, or under one of `WRAPPERS` or `AVERAGES`.

    Names lose what DataParallel ("module.") and torch.compile ("_orig_mod.") put before them.

    Args:
        content: of the file.
        path: of the file, for messages.
        averages: whether a moving average is taken rather than the weights that it is the average
            of, as is usual to detect with; a UserWarning says so. Else it is not looked at.

    Raises:
        InputError: there are no weights.
    """
    found, average = _alone(content), None
    if averages and isinstance(content, Mapping):
        kept = (_alone(content.get(key)) for key in AVERAGES)
        average = next((one for one in kept if one is not None), None)
    if found is not None and average is not None:
        warnings.warn(
            f"weights {path} hold a model and the moving average (EMA) of its weights; the average "
            "is taken; to have the other, save it alone",
            stacklevel=2,
        )
    found = found if average is None else average
    if found is None:
        raise InputError(f"weights {path} hold no state dict; save model.state_dict() alone")
    # A plain dict says nothing of versions; with them, batch norms refuse weights of frozen ones.
    state = {str(name).replace("_orig_mod.", ""): value for name, value in found.items()}
    while state and all(name.startswith("module.") or name == "n_averaged" for name in state):
        state.pop("n_averaged", None)  # How many were averaged.
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def under_prefix(
    state: Mapping[str, Tensor], names: Collection[str], path: Path
) -> dict[str, Tensor]:
    """The weights of one model out of a state dict that calls it something, as Lightning does.

    Args:
        state: e.g. with "model.head.weight" and "loss.weight".
        names: some that the model has, e.g. ("head.weight",).
        path: of the file, for messages.

    Returns:
        Those whose names begin as most of `names` do, without that: {"head.weight": ...}. The same
        if the names stand in it as they are, or not at all.

    Raises:
        InputError: several models are in it, and none is the moving average of another.
    """
    wanted, counts = set(names), Counter[str]()
    for name in state:
        for place in [0, *(i + 1 for i, letter in enumerate(name) if letter == ".")]:
            if name[place:] in wanted:
                counts[name[:place]] += 1
    most = max(counts.values(), default=0)
    best = [prefix for prefix, count in counts.items() if count == most]
    if not best or "" in best:
        return state if isinstance(state, dict) else dict(state)
    if len(best) > 1:
        averages = [prefix for prefix in best if "ema" in prefix.lower().replace("schema", "")]
        if len(averages) != 1:
            raise InputError(
                f"weights {path} hold several models, {', '.join(map(repr, best))}: save the state "
                "dict of the one that is meant alone"
            )
        warnings.warn(
            f"weights {path} hold several models, {', '.join(map(repr, best))}; the moving average "
            f"{averages[0]!r} is taken; to have the other, save it alone",
            stacklevel=2,
        )
        best = averages
    (prefix,) = best
    chosen = {k.removeprefix(prefix): value for k, value in state.items() if k.startswith(prefix)}
    return OrderedDict(chosen)


def _alone(content: Any) -> dict[str, Tensor] | None:
    """The state dict that something is, or has under one of `WRAPPERS`; None without one."""
    if _is_state(content):
        return dict(content)
    if not isinstance(content, Mapping):
        return None
    inner = (_alone(content.get(key)) for key in WRAPPERS)
    return next((one for one in inner if one is not None), None)


def _is_state(value: Any) -> bool:
    whole = isinstance(value, Mapping) and len(value) > 0
    return whole and all(isinstance(one, Tensor) for one in value.values())

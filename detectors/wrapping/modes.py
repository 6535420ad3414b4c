"""Models that were left in training mode."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from torch import nn

from vps.errors import InputError, one_line


def evaluated(model: Any) -> Any:
    """A model in evaluation mode: itself, or a copy of its modules that shares all its weights.

    The model itself stays as it is; a UserWarning says so. What is trained on shows in the copy.

    Raises:
        InputError: it is in training mode, and cannot be copied.
    """
    training = [name for name, module in model.named_modules() if module.training]
    if not training:
        return model
    shared = {id(one): one for one in (*model.parameters(), *model.buffers())}
    try:
        twin: nn.Module = copy.deepcopy(model, shared)
    except Exception as error:
        raise InputError(
            f"the {type(model).__name__} is in training mode; call model.eval() first (it cannot "
            f"be copied: {one_line(error)})"
        ) from error
    part = "" if "" in training else f", in part ({training[0]})"
    warnings.warn(
        f"the {type(model).__name__} is in training mode{part}: it is run by a copy in evaluation "
        "mode, which shares its weights; the model itself stays as it is",
        stacklevel=4,
    )
    twin.eval()
    return twin

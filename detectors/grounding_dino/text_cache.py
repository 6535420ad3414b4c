"""Reading a prompt once instead of once per forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vps.core.extras import require

BaseModelOutput: Any = require("transformers.modeling_outputs", extra="hf").BaseModelOutput


@dataclass
class TextFeatures:
    """What the text backbone made of one prompt, (1, T, d); None until it has been read."""

    values: Tensor | None = None


# Of the thread, so that two threads may ask one model about two prompts at a time.
_FEATURES: ContextVar[TextFeatures | None] = ContextVar("text_features", default=None)


@contextmanager
def reading(features: TextFeatures) -> Iterator[None]:
    """Within the block, forward passes of this thread fill and reuse `features`.

    All images of all batches in the block must be asked about the same prompt.
    """
    token = _FEATURES.set(features)
    try:
        yield
    finally:
        _FEATURES.reset(token)


class CachedText(nn.Module):
    """Stands in for the text backbone of Grounding DINO.

    The backbone sees nothing but the prompt: text meets image after it. The model itself prepares
    what the backbone is given (that differs between versions of transformers), so the first
    forward pass fills the cache from its first row and the others only repeat it. Outside a
    `reading` block it calls the backbone every time.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, input_ids: Tensor, *details: Tensor, **options: Any) -> Any:
        """The backbone's output for (B, T) token ids; `details` are tensors with B rows."""
        features = _FEATURES.get()
        if features is None:
            return self.backbone(input_ids, *details, **options)
        if features.values is None:
            rows = (detail[:1] for detail in details)
            # What is kept belongs to no graph; nothing in it depends on an image.
            with torch.no_grad():
                read = self.backbone(input_ids[:1], *rows, **options)
            features.values = read.last_hidden_state
        return BaseModelOutput(last_hidden_state=features.values.expand(len(input_ids), -1, -1))

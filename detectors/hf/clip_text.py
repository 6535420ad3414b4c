"""Labels as the texts of CLIP's tokenizer, which OWL-ViT, OWLv2 and OmDet-Turbo read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vps.errors import InputError


def write_texts(labels: Sequence[str], template: str) -> tuple[str, ...]:
    """The labels in a template, e.g. "a photo of a {}".

    Raises:
        InputError: the template has no place for a label, or several.
    """
    if template.count("{}") != 1:
        raise InputError(
            f"template {template!r} must have one {{}} for the label, as in 'a photo of a {{}}'"
        )
    return tuple(template.replace("{}", label) for label in labels)


def count_tokens(text: str, tokenizer: Any) -> int:
    """The tokens of a text, both ends included."""
    return len(tokenizer(text, verbose=False)["input_ids"])


def read_texts(
    texts: Sequence[str], tokenizer: Any, limit: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Token ids and their mask, both (texts, limit), padded as the library's processors do it.

    Args:
        texts: what is read.
        tokenizer: of the checkpoint.
        limit: the most tokens of a text, both ends included.
        device: where the result lies.

    Raises:
        InputError: a text is longer, or has no part that the tokenizer knows.
    """
    for text in texts:
        tokens = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if all(token == tokenizer.unk_token_id for token in tokens):
            raise InputError(f"the model's tokenizer knows no part of the label in {text!r}")
        if count_tokens(text, tokenizer) > limit:
            raise InputError(
                f"{text[:60]!r} has {len(tokens)} tokens, and the model reads at most "
                f"{limit - 2}; shorten the label"
            )
    read = tokenizer(list(texts), padding="max_length", max_length=limit, return_tensors="pt")
    return read["input_ids"].to(device), read["attention_mask"].to(device)

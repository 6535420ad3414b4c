"""What Florence-2 reads: an image once, and with it each of the prompts."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from detectors.florence2.checkpoint import Florence2Checkpoint
from detectors.hf.checkpoint import transformers
from detectors.shared.pixels import check_batch
from vps.core.extras import require

BaseModelOutput: Any = require("transformers.modeling_outputs", extra="hf").BaseModelOutput
# The name of the decoder's cache changed within transformers 5.
_PARAMETERS = inspect.signature(transformers.Florence2ForConditionalGeneration.forward).parameters
_CACHE = "cache" if "cache" in _PARAMETERS else "past_key_values"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Encoded:
    """What the encoder made of R pairs of an image and a prompt.

    Attributes:
        states: (R, S, d) hidden states.
        mask: (R, S) int64, 0 where a shorter prompt is padded.
    """

    states: Tensor
    mask: Tensor

    def rows(self, rows: Tensor) -> Encoded:
        """Some of the pairs, in any order and number."""
        return Encoded(self.states[rows], self.mask[rows])


def read_pairs(
    checkpoint: Florence2Checkpoint,
    pixels: Tensor,
    prompts: Mapping[int, Sequence[int]],
    at_a_time: int,
) -> Iterator[tuple[Sequence[tuple[int, int]], Encoded]]:
    """Read every image with every prompt; each image is looked at once.

    Args:
        checkpoint: the model.
        pixels: (B, 3, h, w) float32 RGB in [0, 1].
        prompts: their tokens, by any numbers.
        at_a_time: the most pairs that go through the encoder together.

    Returns:
        Some pairs of an image's place in the batch and a prompt's number, and what the model made
        of them, until there are no more.

    Raises:
        InputError: pixels of another shape.
    """
    check_batch(pixels)
    images = encode_images(checkpoint, pixels)
    pairs = [(image, prompt) for image in range(len(pixels)) for prompt in prompts]
    for some in parts(pairs, at_a_time):
        texts = [prompts[prompt] for _, prompt in some]
        yield some, encode_prompts(checkpoint, images[[image for image, _ in some]], texts)


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, at most `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def encode_images(checkpoint: Florence2Checkpoint, pixels: Tensor) -> Tensor:
    """Image tokens (B, S, d) of pixels (B, 3, h, w), RGB in [0, 1]."""
    images = checkpoint.images
    mean, std = (pixels.new_tensor(value)[:, None, None] for value in (images.mean, images.std))
    inputs = ((pixels - mean) / std).to(checkpoint.model.dtype)
    features = checkpoint.model.get_image_features(inputs)
    # A tensor in transformers 4, an output with many of them in 5.
    tokens: Tensor = features if isinstance(features, Tensor) else features.pooler_output
    return tokens


def encode_prompts(
    checkpoint: Florence2Checkpoint, images: Tensor, prompts: Sequence[Sequence[int]]
) -> Encoded:
    """Read prompts together with images.

    Args:
        checkpoint: the model.
        images: (R, S, d), what `encode_images` gave for each row.
        prompts: R token sequences.
    """
    longest = max(map(len, prompts))
    padding = int(checkpoint.tokenizer.pad_token_id)
    device = images.device
    ids = torch.tensor([[*p, *[padding] * (longest - len(p))] for p in prompts], device=device)
    lengths = torch.tensor([images.shape[1] + len(p) for p in prompts], device=device)
    words = checkpoint.model.get_input_embeddings()(ids).to(images.dtype)
    inputs = torch.cat([images, words], dim=1)
    mask = (torch.arange(inputs.shape[1], device=device) < lengths[:, None]).long()
    states = checkpoint.model.get_encoder()(inputs_embeds=inputs, attention_mask=mask)[0]
    return Encoded(states, mask)


def next_tokens(
    checkpoint: Florence2Checkpoint, encoded: Encoded, tokens: Tensor, cache: Any = None
) -> Tensor:
    """Log-probabilities (R, t, V), float32, of the token after each of `tokens` (R, t).

    Args:
        checkpoint: the model.
        encoded: what it read.
        tokens: the answer so far; with a cache only what the cache has not seen.
        cache: of the decoder, which fills it; None where nothing is to follow.
    """
    output = checkpoint.model(
        encoder_outputs=BaseModelOutput(last_hidden_state=encoded.states),
        attention_mask=encoded.mask,
        decoder_input_ids=tokens,
        use_cache=cache is not None,
        return_dict=True,
        **{_CACHE: cache},
    )
    logits: Tensor = output.logits.float()
    return logits.log_softmax(dim=-1)

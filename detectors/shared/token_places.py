"""Which phrase of a caption stands at which tokens, as the lists of VPS and PhaseWin count them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from detectors.shared.prompts import Prompt, as_phrase
from vps.errors import InputError, quoted

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SEPARATOR = re.compile(r"[.?]")


def phrase_at(caption: str, positions: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """The phrase of a caption "a . b ." that holds some of its tokens, as it is written there.

    Args:
        caption: phrases, each ended by a full stop or a question mark, a token of its own.
        positions: of tokens, from 0, which is [CLS].
        tokenizer: a BERT tokenizer.

    Raises:
        InputError: no position, one outside the caption, or positions that are of no phrase, or of
            several.
    """
    places = list(_phrases(caption, tokenizer))
    end = places[-1][1].stop
    if not positions:
        raise InputError("no token positions are given")
    for position in positions:
        if not 0 <= position < end:
            raise InputError(
                f"token position {position} is outside the caption, whose tokens are 1 to {end - 1}"
            )
    held = [phrase for phrase, span in places if set(positions) <= set(span)]
    if not held:
        raise InputError(
            f"the tokens at {quoted(list(positions))} are not of one phrase of the caption"
        )
    return held[0]


def caption_of(
    prompts: Sequence[Prompt], labels: Sequence[str], column: int
) -> tuple[str, tuple[int, ...]]:
    """The caption of the prompt that holds a label, and the positions of the label's tokens."""
    prompt = next(prompt for prompt in prompts if column in prompt.columns)
    asked = [labels[one] for one in dict.fromkeys(prompt.columns) if one >= 0]
    caption = "".join(f"{as_phrase(label)} . " for label in asked).strip()
    return caption, tuple(place for place, one in enumerate(prompt.columns) if one == column)


def _phrases(caption: str, tokenizer: PreTrainedTokenizerBase) -> Iterator[tuple[str, range]]:
    """Each phrase with the places of its tokens; separators have a place each."""
    start = 1
    for part in _SEPARATOR.split(caption):
        phrase = part.strip()
        tokens = tokenizer(phrase.lower(), add_special_tokens=False, verbose=False)["input_ids"]
        yield phrase, range(start, start + len(tokens))
        start += len(tokens) + 1

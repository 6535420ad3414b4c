"""Labels as text: splitting a prompt into labels, and labels into prompts a model can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from detectors.shared.prompt_text import split_prompt
from vps.errors import InputError, LabelsError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NO_LABEL = -1
_SEPARATOR = re.compile(r"[.?]")


def parse_prompt(prompt: str) -> tuple[str, ...]:
    """Split a prompt such as "dog . cat ." into labels; see `split_prompt` for what separates them.

    Returns:
        The labels in order, e.g. ("dog", "cat"), as they were written apart from outer spaces.

    Raises:
        InputError: the prompt names no label, or one label twice, or can be read in two ways.
    """
    return check_labels(split_prompt(prompt))


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels without outer spaces.

    Raises:
        LabelsError: one string instead of several, no label, an empty label, or two labels that
            differ at most in case and spaces and so read the same to the model.
    """
    if isinstance(labels, str):
        raise LabelsError(
            f"labels must be a sequence of names, got the string {labels!r}; "
            "split a prompt with parse_prompt, or wrap one label in a tuple"
        )
    names = tuple(label.strip() for label in labels)
    if not names:
        raise LabelsError("no labels given: name at least one, e.g. labels=('dog', 'cat')")
    seen: dict[str, str] = {}
    for name in names:
        text = as_phrase(name)
        if not text:
            raise LabelsError(f"label {name!r} is empty: a label needs at least one word")
        if text in seen:
            raise LabelsError(f"labels {seen[text]!r} and {name!r} read the same; keep one of them")
        seen[text] = name
    return names


def as_phrase(label: str) -> str:
    """A label as the model reads it: in lower case and free of separators.

    Full stops and question marks end a phrase for Grounding DINO. In a label, those at the ends are
    dropped and those inside become commas, so that a referring expression stays one phrase.
    """
    parts = (part.strip() for part in _SEPARATOR.split(label.lower()))
    return " ".join(" , ".join(part for part in parts if part).split())


@dataclass(frozen=True)
class Prompt:
    """One text that fits the model: `[CLS] a . b . [SEP]`.

    Attributes:
        token_ids: the T ids of its tokens.
        columns: for each token the index of its label among all labels, or NO_LABEL.
        hidden: the places of tokens that do not count for their label's score.
    """

    token_ids: tuple[int, ...]
    columns: tuple[int, ...]
    hidden: frozenset[int] = frozenset()


def build_prompts(
    labels: Sequence[str], tokenizer: PreTrainedTokenizerBase, limit: int, *, apart: bool = False
) -> tuple[Prompt, ...]:
    """Put labels into as few prompts as their order allows.

    Each label is tokenised on its own and its tokens are counted as they are laid down, so that a
    label's place is known however many word pieces it has and whatever words it shares.

    Args:
        labels: names, as `check_labels` returns them.
        tokenizer: a BERT tokenizer.
        limit: the most tokens a prompt may have, both ends and the separators included.
        apart: whether each label gets a prompt of its own.

    Raises:
        InputError: a label does not fit into a prompt of its own, or has no part that the tokenizer
            knows.
    """
    first, last = int(tokenizer.cls_token_id), int(tokenizer.sep_token_id)
    stop = int(tokenizer.convert_tokens_to_ids("."))
    prompts = []
    ids, columns = [first], [NO_LABEL]
    for column, label in enumerate(labels):
        tokens = _encode(label, tokenizer)
        if len(tokens) + 3 > limit:
            raise InputError(
                f"label {label[:40]!r}... has {len(tokens)} tokens, and the model reads at most "
                f"{limit - 3} in one label; shorten it"
            )
        full = len(ids) + len(tokens) + 2 > limit
        if full or (apart and column > 0):
            prompts.append(Prompt((*ids, last), (*columns, NO_LABEL)))
            ids, columns = [first], [NO_LABEL]
        ids += [*tokens, stop]
        columns += [*[column] * len(tokens), NO_LABEL]
    prompts.append(Prompt((*ids, last), (*columns, NO_LABEL)))
    return tuple(prompts)


def narrow_prompts(
    prompts: Sequence[Prompt], wanted: Sequence[int]
) -> tuple[tuple[Prompt, ...], tuple[int, ...]]:
    """The prompts that hold some labels, word for word; the others are left out.

    Labels of one prompt influence each other's scores, so a prompt is kept whole or not at all.

    Args:
        prompts: what `build_prompts` returned.
        wanted: columns of the labels that matter.

    Returns:
        The prompts that are left, their columns counted anew, and the old column of each new one.
    """
    kept = [prompt for prompt in prompts if set(prompt.columns) & set(wanted)]
    columns = sorted({column for prompt in kept for column in prompt.columns} - {NO_LABEL})
    new = {column: number for number, column in enumerate(columns)} | {NO_LABEL: NO_LABEL}
    narrowed = [
        replace(prompt, columns=tuple(new[column] for column in prompt.columns)) for prompt in kept
    ]
    return tuple(narrowed), tuple(columns)


def split_words(label: str) -> tuple[str, ...]:
    """The words of a label as the model reads it; a lone mark is part of the word before it."""
    words: list[str] = []
    for word in as_phrase(label).split():
        if words and not any(letter.isalnum() for letter in word):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return tuple(words)


def hide_words(
    prompts: Sequence[Prompt],
    column: int,
    label: str,
    keep: np.ndarray,
    tokenizer: PreTrainedTokenizerBase,
) -> tuple[Prompt, ...]:
    """The same prompts, with [MASK] for each token of some words of a label.

    Args:
        prompts: what `build_prompts` returned.
        column: of the label.
        label: its name.
        keep: (n,) bool, True where a word of `split_words(label)` is shown.
        tokenizer: that made the prompts.

    Raises:
        InputError: another number of words, or a tokenizer without [MASK].
    """
    words = split_words(label)
    keep = np.asarray(keep)
    if keep.shape != (len(words),) or keep.dtype != np.bool_:
        raise InputError(
            f"label {label!r} has {len(words)} words; which are shown must be ({len(words)},) bool,"
            f" got {keep.dtype} {keep.shape}"
        )
    if tokenizer.mask_token_id is None:
        raise InputError("the model's tokenizer has no [MASK], so that no word can be hidden")
    # BERT's tokenizers split at spaces first, so that words have the same tokens in any company.
    counts = [len(tokenizer(word, add_special_tokens=False)["input_ids"]) for word in words]
    gone = np.repeat(~keep, counts)
    return tuple(_masked(prompt, column, gone, int(tokenizer.mask_token_id)) for prompt in prompts)


def _masked(prompt: Prompt, column: int, gone: np.ndarray, mask: int) -> Prompt:
    places = np.flatnonzero(np.array(prompt.columns) == column)
    if not len(places):
        return prompt
    ids = np.array(prompt.token_ids)
    ids[places[gone]] = mask
    return replace(
        prompt,
        token_ids=tuple(ids.tolist()),
        hidden=prompt.hidden.union(places[gone].tolist()),
    )


def _encode(label: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    encoded = tokenizer(as_phrase(label), add_special_tokens=False, verbose=False)
    tokens = [int(token) for token in encoded["input_ids"]]
    if all(token == tokenizer.unk_token_id for token in tokens):
        raise InputError(f"the model's tokenizer knows no part of the label {label!r}; rename it")
    return tokens


def required_labels(labels: Sequence[str] | None) -> tuple[str, ...]:
    """The labels, checked before a checkpoint is read for nothing.

    Raises:
        LabelsError: there are none, or as `check_labels`.
    """
    if labels is None:
        raise LabelsError(
            'Grounding DINO finds what it is asked for; say what, e.g. --prompt "dog . cat ."'
        )
    return check_labels(labels)

"""How Florence-2 is asked: its tasks, their prompts, and what an answer says of a label."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detectors.florence2.checkpoint import Florence2Checkpoint
from detectors.florence2.parse import WrittenBox
from detectors.florence2.writing import WrittenAnswer
from vps.core.names import choose
from vps.errors import InputError


@dataclass(frozen=True)
class FlorenceTask:
    """A task of Florence-2.

    Attributes:
        name: of the task here.
        tag: what the model's authors call it.
        prompt: what the encoder reads, with {} for the label where each label is asked for itself.
        parts: whether the label is a caption of which the model may find parts, its phrases.
    """

    name: str
    tag: str
    prompt: str
    parts: bool = False

    @property
    def asks_each_label(self) -> bool:
        """Whether each label has a prompt of its own, rather than all of them one."""
        return "{}" in self.prompt

    def column(self, text: str, names: Sequence[str], asked: int) -> int | None:
        """The label that a text in an answer means.

        Args:
            text: what the model called a box.
            names: all labels, folded.
            asked: the label that the prompt held; without meaning where it held none.

        Returns:
            The label's column, or None: the model may say what it was not asked.
        """
        said = fold(text)
        if not self.asks_each_label:
            return names.index(said) if said in names else None
        if said == names[asked]:
            return asked
        part = self.parts and said and f" {said} " in f" {names[asked]} "
        return asked if part else None


_ALL = (
    FlorenceTask("open-vocabulary", "<OPEN_VOCABULARY_DETECTION>", "Locate {} in the image."),
    FlorenceTask(
        "grounding",
        "<CAPTION_TO_PHRASE_GROUNDING>",
        "Locate the phrases in the caption: {}",
        parts=True,
    ),
    FlorenceTask("od", "<OD>", "Locate the objects with category name in the image."),
)
TASKS = {task.name: task for task in _ALL} | {task.tag: task for task in _ALL}


def _probability(answer: WrittenAnswer, box: WrittenBox) -> float:
    said = sum(answer.said[place] for place in box.label)
    return min(1.0, math.exp(said + answer.located[box.place]))


def _match(answer: WrittenAnswer, box: WrittenBox) -> float:
    return 1.0


CONFIDENCES: dict[str, Callable[[WrittenAnswer, WrittenBox], float]] = {
    "probability": _probability,
    "match": _match,
}
"""The score of a box in an answer for the label that it was given:

    probability   of the label's tokens, each given what was written before it, and of a location
                  token where the box begins, multiplied: the chance that just this is said
    match         1, as in the VPS paper

How sure the model is of the coordinates is left out: it hardly tells right boxes from wrong ones.
"""


@dataclass(frozen=True)
class Settings:
    """How Florence-2 is asked; see `detectors.florence2.detector.load_florence2`."""

    task: FlorenceTask
    confidence: Callable[[WrittenAnswer, WrittenBox], float]
    beams: int
    max_new_tokens: int


def make_settings(task: str, confidence: str, beams: int, max_new_tokens: int) -> Settings:
    """Settings out of what a user gives.

    Raises:
        InputError: a name that does not exist, with the nearest that does, or a number below 1.
    """
    for name, value in (("beams", beams), ("max_new_tokens", max_new_tokens)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {value!r}")
    score = choose(CONFIDENCES, confidence, "confidence")
    return Settings(choose(TASKS, task, "task"), score, beams, max_new_tokens)


def fold(text: str) -> str:
    """A text without what does not tell labels apart: case and the number of spaces."""
    return " ".join(text.casefold().split())


def encode_prompt(
    checkpoint: Florence2Checkpoint, task: FlorenceTask, label: str
) -> tuple[int, ...]:
    """The tokens of a task's prompt.

    Raises:
        InputError: more than the model can read besides the image.
    """
    tokenizer = checkpoint.tokenizer
    text = _encode(checkpoint, task.prompt.replace("{}", label))
    prompt = (int(tokenizer.bos_token_id), *text, int(tokenizer.eos_token_id))
    if len(prompt) > checkpoint.prompt_limit:
        raise InputError(
            f"label {label[:40]!r}... makes a prompt of {len(prompt)} tokens, and the model reads "
            f"at most {checkpoint.prompt_limit} besides the image; shorten it"
        )
    return prompt


def encode_label(checkpoint: Florence2Checkpoint, label: str) -> tuple[int, ...]:
    """The tokens of a label in an answer, where a box follows it.

    Raises:
        InputError: a label with one of the model's tags in it, of characters that it does not
            know, or longer than an answer.
    """
    tokens = _encode(checkpoint, label)
    if checkpoint.added.intersection(tokens):
        raise InputError(
            f"label {label!r} holds one of the model's tags, such as <loc_1>, or what it cannot "
            "read; use plain words"
        )
    if len(tokens) + 4 > checkpoint.answer_limit:
        raise InputError(
            f"label {label[:40]!r}... has {len(tokens)} tokens, and with a box the model writes at "
            f"most {checkpoint.answer_limit}; shorten it"
        )
    return tokens


def _encode(checkpoint: Florence2Checkpoint, text: str) -> tuple[int, ...]:
    encoded = checkpoint.tokenizer(text, add_special_tokens=False, verbose=False)
    return tuple(int(token) for token in encoded["input_ids"])

"""Batches for Florence-2: scenes, questions in the words of its tasks, and the answers to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import BartTokenizerFast

from tools.demo_training.batches import augment, centred
from tools.demo_training.pool import COLOUR_NAMES, Bucket
from vps.data.scenes.expressions import Thing, choose_expression, expressions
from vps.data.scenes.layouts import CATEGORIES, NAMES

BINS = 1000
TASKS = {
    "<OD>": "Locate the objects with category name in the image.",
    "<OPEN_VOCABULARY_DETECTION>": "Locate {} in the image.",
    "<CAPTION_TO_PHRASE_GROUNDING>": "Locate the phrases in the caption: {}",
}
_OD, _OPEN, _GROUNDING = TASKS


@dataclass(frozen=True)
class Question:
    """What is asked about one image, and the objects that belong into the answer.

    Attributes:
        task: one of TASKS.
        asked: what the prompt names; "" for <OD>.
        phrases: the answer's phrases in order, each with the numbers of its objects in order.
    """

    task: str
    asked: str
    phrases: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def prompt(self) -> str:
        """The text that the encoder reads."""
        return TASKS[self.task].format(self.asked)


@dataclass(frozen=True)
class FlorenceBatch:
    """One training batch: B images and R questions, first one of <OD> for each image.

    Attributes:
        pixels: (B, 3, h, w) float32 in [0, 1].
        categories, colours: per image (k,) int64 of all its objects.
        boxes: per image (k, 4) float32, cxcywh as shares of the image.
        image: (R,) int64, the image of each question.
        input_ids, attention_mask: (R, T) the prompts, without image tokens.
        answers: (R, U) int64 token ids with the end, then padding of -100.
        places: (R, U) float32, the coordinate in [0, 1] that a location token stands for, else NaN.
        asked_for: per question (k,) bool, the objects in its answer.
    """

    pixels: Tensor
    categories: list[Tensor]
    colours: list[Tensor]
    boxes: list[Tensor]
    image: Tensor
    input_ids: Tensor
    attention_mask: Tensor
    answers: Tensor
    places: Tensor
    asked_for: list[Tensor]


class Writer:
    """Tokenises prompts and answers."""

    def __init__(self, tokenizer: BartTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._pieces: dict[str, list[int]] = {}
        self.start, self.end = int(tokenizer.bos_token_id), int(tokenizer.eos_token_id)
        self.padding = int(tokenizer.pad_token_id)
        self.first_location = tokenizer.get_vocab()["<loc_0>"]

    def prompt(self, text: str) -> list[int]:
        """The tokens of a prompt, as `Florence2Processor` joins them, without the image's."""
        return [self.start, *self._encode(text), self.end]

    def answer(self, question: Question, boxes: np.ndarray) -> tuple[list[int], list[float]]:
        """The tokens of "phrase<loc><loc><loc><loc>..." and the coordinates they stand for.

        Args:
            question: which phrases and objects.
            boxes: (k, 4) xyxy as shares of the image.
        """
        tokens: list[int] = []
        places: list[float] = []
        for phrase, objects in question.phrases:
            words = self._encode(phrase)
            corners = np.clip(boxes[list(objects)].flatten(), 0, 1)
            bins = np.minimum((corners * BINS).astype(int), BINS - 1)
            tokens += [*words, *(self.first_location + bins).tolist()]
            places += [*[np.nan] * len(words), *corners.tolist()]
        return [*tokens, self.end], [*places, np.nan]

    def _encode(self, text: str) -> list[int]:
        if text not in self._pieces:
            self._pieces[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._pieces[text]


def draw_florence_batch(
    buckets: list[Bucket], size: int, writer: Writer, rng: np.random.Generator, others: int = 2
) -> FlorenceBatch:
    """A random batch of augmented images, each with <OD> and some `others` questions."""
    (bucket,) = buckets
    images, scenes, first, more = [], [], [], []
    for number, index in enumerate(rng.integers(len(bucket.images), size=size)):
        before = bucket.objects[index, : bucket.counts[index]]
        image, rows = augment(bucket.images[index], before, rng)
        gone = [name for name in _names(before) if name not in _names(rows)]
        images.append(image)
        scenes.append(rows)
        first.append((number, list_all(rows)))
        more += [(number, ask(rows, gone, rng)) for _ in range(others)]
    return _collate(images, scenes, [*first, *more], writer)


def list_all(rows: np.ndarray) -> Question:
    """The question <OD>: all objects by category, of one category from left to right."""
    found = {category: _ordered(rows, rows[:, 0] == n) for n, category in enumerate(CATEGORIES)}
    return Question(_OD, "", tuple((name, objects) for name, objects in found.items() if objects))


def ask(rows: np.ndarray, gone: Sequence[str], rng: np.random.Generator) -> Question:
    """A random question of the two tasks that name something.

    Args:
        rows: the objects, see `tools.demo_training.pool`.
        gone: names of what a card hides: what to ask for when it should not be there.
        rng: source of chance.
    """
    task = _OPEN if rng.random() < 0.5 else _GROUNDING
    present = rng.random() < (0.55 if task == _OPEN else 0.85)
    if not present or not len(rows):
        return Question(task, _absent(rows, gone, rng), ())
    kind = rng.choice(["name", "expression"], p=[0.75, 0.25] if task == _OPEN else [0.25, 0.75])
    phrases = [_present(rows, kind, rng)]
    if task == _GROUNDING and rng.random() < 0.15:
        other = _present(rows, kind, rng)
        if other[0] != phrases[0][0]:
            phrases.append(other)
    asked = " and ".join(phrase for phrase, _ in phrases)
    return Question(task, asked, tuple(phrases))


def _present(rows: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[str, tuple[int, ...]]:
    """A name of objects that are there, or an expression for one; and which objects."""
    if kind == "expression":
        things = [
            Thing(CATEGORIES[int(r[0])], COLOUR_NAMES[int(r[1])], tuple(r[2:6])) for r in rows
        ]
        found = expressions(things)
        if found:
            expression = choose_expression(found, rng)
            return expression.text, (expression.target,)
    row = rows[rng.integers(len(rows))]
    alike = rows[:, 0] == row[0]
    name = CATEGORIES[int(row[0])]
    if row[1] and rng.random() < 0.35:
        alike &= rows[:, 1] == row[1]
        name = f"{COLOUR_NAMES[int(row[1])]} {name}"
    return name, _ordered(rows, alike)


def _absent(rows: np.ndarray, gone: Sequence[str], rng: np.random.Generator) -> str:
    """A name of nothing in the image; if possible of what is hidden, or of a likeness."""
    there = _names(rows)
    classes = [name for name in CATEGORIES if name not in there]
    coloured = [name for name in NAMES if name not in there and " " in name]
    alike = [name for name in coloured if name.split()[1] in there]
    chance = rng.random()
    if gone and chance < 0.4:
        pool = list(gone)
    elif classes and chance < 0.75:
        pool = classes
    else:
        pool = alike if alike and chance < 0.9 else coloured
    name = pool[rng.integers(len(pool))]
    return f"the {name}" if rng.random() < 0.2 else name


def _names(rows: np.ndarray) -> list[str]:
    """The categories and the coloured names of objects, without repetition."""
    categories = [CATEGORIES[int(row[0])] for row in rows]
    coloured = [
        f"{COLOUR_NAMES[int(row[1])]} {name}"
        for row, name in zip(rows, categories, strict=True)
        if row[1]
    ]
    return list(dict.fromkeys([*categories, *coloured]))


def _ordered(rows: np.ndarray, chosen: np.ndarray) -> tuple[int, ...]:
    """The numbers of the chosen objects, by their left edges."""
    numbers = np.flatnonzero(chosen)
    return tuple(int(n) for n in numbers[np.argsort(rows[numbers, 2], kind="stable")])


def _collate(
    images: list[np.ndarray],
    scenes: list[np.ndarray],
    questions: list[tuple[int, Question]],
    writer: Writer,
) -> FlorenceBatch:
    prompts = [writer.prompt(question.prompt) for _, question in questions]
    written = [writer.answer(question, scenes[image][:, 2:6]) for image, question in questions]
    asked_for = []
    for image, question in questions:
        mark = torch.zeros(len(scenes[image]), dtype=torch.bool)
        mark[[number for _, objects in question.phrases for number in objects]] = True
        asked_for.append(mark)
    longest = max(map(len, prompts))
    input_ids = torch.tensor([[*p, *[writer.padding] * (longest - len(p))] for p in prompts])
    lengths = torch.tensor([len(p) for p in prompts])
    longest_answer = max(len(tokens) for tokens, _ in written)
    filled = [(t, p, longest_answer - len(t)) for t, p in written]
    objects = [centred(rows) for rows in scenes]
    return FlorenceBatch(
        pixels=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().contiguous(),
        categories=[item[0] for item in objects],
        colours=[item[1] for item in objects],
        boxes=[item[2] for item in objects],
        image=torch.tensor([image for image, _ in questions]),
        input_ids=input_ids,
        attention_mask=(torch.arange(longest) < lengths[:, None]).long(),
        answers=torch.tensor([[*tokens, *[-100] * rest] for tokens, _, rest in filled]),
        places=torch.tensor([[*places, *[np.nan] * rest] for _, places, rest in filled]).float(),
        asked_for=asked_for,
    )

"""Batches of scenes with prompts: lists of classes, coloured names, referring expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import BertTokenizerFast

from tools.demo_training.pool import COLOUR_NAMES, Bucket
from vps.core.masking import DATASET_MEAN
from vps.data.scenes.expressions import Thing, choose_expression, expressions
from vps.data.scenes.layouts import CATEGORIES, NAMES, WITHOUT_CAUSE

_FLIPPED = {CATEGORIES.index(a): CATEGORIES.index(b) for a, b in WITHOUT_CAUSE.items()}


@dataclass(frozen=True)
class Batch:
    """One training batch.

    Attributes:
        pixels: (B, 3, h, w) float32 in [0, 1].
        categories, colours: per image (k,) int64 of all its objects, prompted or not.
        boxes: per image (k, 4) float32, cxcywh as shares of the image.
        input_ids, attention_mask: (B, T).
        positive: per image (k, T) bool, the tokens that an object should light up; an object that
            the prompt does not name has none.
    """

    pixels: Tensor
    categories: list[Tensor]
    colours: list[Tensor]
    boxes: list[Tensor]
    input_ids: Tensor
    attention_mask: Tensor
    positive: list[Tensor]


class Prompts:
    """Tokenises phrases once and joins them to prompts."""

    def __init__(self, tokenizer: BertTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._pieces: dict[str, list[int]] = {}
        self._cls, self._sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        self._stop = tokenizer.convert_tokens_to_ids(".")

    def join(self, phrases: list[str]) -> tuple[list[int], list[tuple[int, int]]]:
        """The token ids of "a . b ." and the span of each phrase."""
        ids, spans = [self._cls], []
        for phrase in phrases:
            if phrase not in self._pieces:
                self._pieces[phrase] = self._tokenizer.encode(phrase, add_special_tokens=False)
            spans.append((len(ids), len(ids) + len(self._pieces[phrase])))
            ids += [*self._pieces[phrase], self._stop]
        return [*ids, self._sep], spans


def draw_batch(
    buckets: list[Bucket], size: int, prompts: Prompts, rng: np.random.Generator, shape: float
) -> Batch:
    """A random batch of one shape, augmented; `shape` in [0, 1) chooses the bucket."""
    shares = np.cumsum([len(bucket.images) for bucket in buckets])
    bucket = buckets[int(np.searchsorted(shares, shape * shares[-1], side="right"))]
    chosen = rng.integers(len(bucket.images), size=size)
    images, texts, targets = [], [], []
    for index in chosen:
        rows = bucket.objects[index, : bucket.counts[index]]
        image, rows = augment(bucket.images[index], rows, rng)
        phrases, named = _prompt(rows, rng)
        images.append(image)
        texts.append(prompts.join(phrases))
        targets.append((rows, named))
    return _collate(images, texts, targets)


def augment(
    image: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror, change light and colour a little, and at times hide parts behind a card.

    A card may hide objects, which are then not asked for, or causes, which changes a category.
    """
    rows = rows.copy()
    if rng.random() < 0.5:
        image = image[:, ::-1]
        for left, right in ((2, 4), (6, 8)):
            rows[:, [left, right]] = 1 - rows[:, [right, left]]
    pixels = image.astype(np.float32) / 255
    pixels = (pixels - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.uniform(-0.08, 0.08)
    if rng.random() < 0.4:
        pixels = pixels.copy()
        for _ in range(rng.integers(1, 5)):
            rows = _hide(pixels, rows, rng)
    return np.clip(pixels, 0, 1), rows


def _hide(pixels: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay one card over the image, in place, unless it would leave an object in doubt."""
    height, width = pixels.shape[:2]
    w, h = rng.uniform(0.1, 0.5, size=2)
    x, y = rng.uniform(-0.1, 1 - w + 0.1), rng.uniform(-0.1, 1 - h + 0.1)
    with_cause = ~np.isnan(rows[:, 6])
    if with_cause.any() and rng.random() < 0.4:
        # Aim at a cause: chance would seldom hide one whole and leave the object.
        x1, y1, x2, y2 = rows[rng.choice(np.flatnonzero(with_cause)), 6:]
        below = rows[:, 6] == x1
        if rows[below][0, 0] == CATEGORIES.index("wheel"):
            x, y, w, h = x1 - 0.01, y1 - 0.01, x2 - x1 + 0.02, y2 - y1 + 0.01
    card = np.array([x, y, x + w, y + h])
    hidden = _covered(rows[:, 2:6], card)
    cause_hidden = np.where(with_cause, _covered(np.nan_to_num(rows[:, 6:]), card), 0.0)
    if ((hidden > 0.3) & (hidden < 0.7)).any() or (
        (cause_hidden > 0.3) & (cause_hidden < 0.9)
    ).any():
        return rows
    colour = np.array(DATASET_MEAN) if rng.random() < 0.6 else rng.uniform(0, 1, 3)
    left, right = (int(np.clip(round(v * width), 0, width)) for v in (x, x + w))
    top, bottom = (int(np.clip(round(v * height), 0, height)) for v in (y, y + h))
    pixels[top:bottom, left:right] = colour
    for row in np.flatnonzero(cause_hidden >= 0.9):
        rows[row, 0] = _FLIPPED[int(rows[row, 0])]
        rows[row, 6:] = np.nan
    return rows[hidden <= 0.3]


def _covered(boxes: np.ndarray, card: np.ndarray) -> np.ndarray:
    """The share of each box (n, 4) that a card (4,) covers."""
    shared = np.minimum(boxes[:, 2:], card[2:]) - np.maximum(boxes[:, :2], card[:2])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.clip(shared, 0, None).prod(axis=1) / np.maximum(area, 1e-9)


def _prompt(rows: np.ndarray, rng: np.random.Generator) -> tuple[list[str], list[int]]:
    """Phrases for a scene, and for each object the number of its phrase or -1."""
    categories = [CATEGORIES[int(row[0])] for row in rows]
    names = [f"{COLOUR_NAMES[int(row[1])]} {CATEGORIES[int(row[0])]}".strip() for row in rows]
    kind = rng.choice(["classes", "names", "expression"], p=[0.5, 0.2, 0.3])
    if kind == "expression":
        things = [
            Thing(category, COLOUR_NAMES[int(row[1])], tuple(row[2:6]))
            for category, row in zip(categories, rows, strict=True)
        ]
        found = expressions(things)
        if found:
            expression = choose_expression(found, rng)
            return [expression.text], [
                0 if i == expression.target else -1 for i in range(len(rows))
            ]
    known, present = (list(CATEGORIES), categories) if kind != "names" else (list(NAMES), names)
    if kind == "names":
        others = [name for name in known if name not in present]
        extra = rng.choice(others, size=rng.integers(0, 5), replace=False)
        phrases = [*dict.fromkeys(present), *map(str, extra)]
    elif rng.random() < 0.5:
        phrases = known
    else:
        phrases = [name for name in known if rng.random() < 0.6] or known
    phrases = [phrases[i] for i in rng.permutation(len(phrases))]
    return phrases, [phrases.index(name) if name in phrases else -1 for name in present]


def centred(rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Categories (k,) and colours (k,), int64, and boxes (k, 4), cxcywh, of objects."""
    corners = torch.from_numpy(rows[:, 2:6])
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    boxes = torch.cat([centres, corners[:, 2:] - corners[:, :2]], dim=1).float()
    return torch.from_numpy(rows[:, 0]).long(), torch.from_numpy(rows[:, 1]).long(), boxes


def _collate(
    images: list[np.ndarray],
    texts: list[tuple[list[int], list[tuple[int, int]]]],
    targets: list[tuple[np.ndarray, list[int]]],
) -> Batch:
    length = max(len(ids) for ids, _ in texts)
    input_ids = torch.zeros(len(texts), length, dtype=torch.long)
    attention_mask = torch.zeros_like(input_ids)
    categories: list[Tensor] = []
    colours: list[Tensor] = []
    boxes: list[Tensor] = []
    positive: list[Tensor] = []
    for row, ((ids, spans), (objects, named)) in enumerate(zip(texts, targets, strict=True)):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        attention_mask[row, : len(ids)] = 1
        tokens = torch.zeros(len(objects), length, dtype=torch.bool)
        for item, phrase in enumerate(named):
            if phrase >= 0:
                tokens[item, slice(*spans[phrase])] = True
        for column, values in zip((categories, colours, boxes), centred(objects), strict=True):
            column.append(values)
        positive.append(tokens)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().contiguous()
    return Batch(pixels, categories, colours, boxes, input_ids, attention_mask, positive)

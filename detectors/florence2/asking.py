"""Florence-2 asked for boxes of some labels: its prompts, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor

from detectors.florence2.checkpoint import Florence2Checkpoint
from detectors.florence2.encoder import read_pairs
from detectors.florence2.parse import WrittenBox, parse_boxes
from detectors.florence2.tasks import Settings, encode_label, encode_prompt, fold
from detectors.florence2.writing import WrittenAnswer, write_answers
from detectors.shared.pixels import to_pixels
from detectors.shared.prompts import check_labels
from vps.core.candidates import label_column

Asking = TypeVar("Asking", bound="Florence2")

ROWS = 32
"""The most pairs of an image and a prompt that the model reads at a time, each beam counted."""


class Florence2:
    """What a detector asks Florence-2; it has no state but what it was made with.

    Args:
        checkpoint: what `read_checkpoint` returns.
        labels: names, as the prompts will hold them and the model should write them.
        settings: how to ask.
        name: what reports call the detector.

    Raises:
        InputError: no or repeated labels, one that is too long for a prompt, or one with one of
            the model's tags in it.
    """

    def __init__(
        self,
        checkpoint: Florence2Checkpoint,
        labels: Sequence[str],
        settings: Settings,
        *,
        name: str,
    ) -> None:
        self.name = name
        self.labels = check_labels(labels)
        self.device = checkpoint.device
        self.checkpoint = checkpoint
        self.settings = settings
        asked = self.labels if settings.task.asks_each_label else ("",)
        self.prompts = [encode_prompt(checkpoint, settings.task, label) for label in asked]
        self.label_tokens = [encode_label(checkpoint, label) for label in self.labels]
        self.bins = {token: number for number, token in enumerate(checkpoint.locations)}
        self._names = [fold(label) for label in self.labels]

    def with_labels(self: Asking, labels: tuple[str, ...]) -> Asking:
        """The same model asked for other labels; see `vps.core.detector.OpenVocabularyDetector`."""
        return type(self)(self.checkpoint, labels, self.settings, name=self.name)

    def narrowed(self: Asking, labels: tuple[str, ...]) -> Asking:
        """Without the prompts of other labels; see `vps.core.detector.PromptedDetector`.

        The one prompt of <OD> names no labels and finds them all.
        """
        wanted = {label_column(label, self.labels) for label in labels}
        if not self.settings.task.asks_each_label:
            return self
        return self.with_labels(tuple(self.labels[column] for column in sorted(wanted)))

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the checkpoint's size; see `vps.core.detector.Detector.prepare`."""
        checkpoint = self.checkpoint
        return to_pixels(image, checkpoint.grid, self.device, checkpoint.images.resample)

    def answers(self, pixels: Tensor) -> Iterator[tuple[int, int, WrittenAnswer]]:
        """What the model writes about each image (B, 3, h, w) and prompt, by their numbers."""
        beams = self.settings.beams
        length = min(self.settings.max_new_tokens, self.checkpoint.answer_limit)
        prompts = dict(enumerate(self.prompts))
        for pairs, encoded in read_pairs(self.checkpoint, pixels, prompts, max(1, ROWS // beams)):
            answers = write_answers(self.checkpoint, encoded, beams=beams, max_new_tokens=length)
            for (image, prompt), answer in zip(pairs, answers, strict=True):
                yield image, prompt, answer

    def boxes(self, answer: WrittenAnswer, prompt: int) -> list[tuple[WrittenBox, int]]:
        """The boxes in an answer to a prompt with labels that were asked for, and their columns."""
        checkpoint, task = self.checkpoint, self.settings.task
        found = []
        for box in parse_boxes(answer.tokens, self.bins, checkpoint.added, checkpoint.silent):
            text = checkpoint.tokenizer.decode([answer.tokens[place] for place in box.label])
            column = task.column(text, self._names, prompt)
            if column is not None:
                found.append((box, column))
        return found

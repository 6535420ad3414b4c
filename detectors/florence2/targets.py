"""Targets scored by the likelihood that Florence-2 writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor

from detectors.florence2.asking import ROWS, Florence2
from detectors.florence2.encoder import parts, read_pairs
from detectors.florence2.likelihood import Beginning, expected_boxes, read_answers
from detectors.florence2.parse import bins_to_boxes, boxes_to_bins
from detectors.florence2.writing import WrittenAnswer
from detectors.shared.features import first_of
from detectors.shared.gradients import keeps_gradients
from detectors.shared.pixels import scale_boxes
from vps.core.boxes import iou
from vps.core.candidates import TargetScores, label_column
from vps.core.detector import FeatureLayer
from vps.core.scoring import MODES
from vps.core.targets import Box, Target

Scorer = TypeVar("Scorer", bound="LikelihoodScorer")

SAME_IOU = 0.5
"""The IoU above which a written box is taken for the target."""


class LikelihoodScorer(Florence2):
    """Scores targets without writing: the model reads an answer that has the target in it.

    - The class score is the probability that label and box stand there, as for a box that the model
      writes itself ("probability").
    - The IoU is the expectation over the four coordinates, each distributed as the model would
      write it after the label and the target's own coordinates before it.

    Both change smoothly with the image, where what is written changes in steps.

    A model lists objects one after the other, and an answer that begins with the target is not
    likely if it lists another one first. So `about` has the answer to the whole image written, and
    in that each target is scored at its place. Without `about` all targets come first, and only
    those that do are scored well. A target that the whole answer lacks is better scored by what is
    written ("generate").

    A score takes one pass of the decoder instead of one a token. What that saves in time depends on
    how much of it the encoders take: `tools/benchmark.py florence` measures it.
    """

    _beginnings: Mapping[tuple[Box, str], Beginning] = MappingProxyType({})

    def about(
        self: Scorer, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> Scorer:
        """The same scorer for targets in one image, each at its place in that image's answer.

        See `vps.core.detector.TargetScorer.about`. A target's place is that of the box that the
        model writes for it (with its label, and the highest IoU with its box, above 0.5), or else
        behind the last box of that label, or behind all boxes.

        Args:
            pixels: (3, h, w) of the whole image, as `prepare` gives it.
            size: (H, W) of the original image.
            targets: as for `score_targets`.

        Raises:
            InputError: a label that the detector was not asked for.
        """
        answers = {prompt: answer for _, prompt, answer in self.answers(pixels[None])}
        scorer = copy(self)
        scorer._beginnings = {
            (target.box, target.label): self._place(target, answers[prompt], prompt, size)
            for target, prompt in zip(targets, self._prompts_of(targets), strict=True)
        }
        return scorer

    @keeps_gradients
    def score_targets(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> TargetScores:
        """The scores of targets; see `vps.core.detector.TargetScorer.score_targets`.

        The box that is reported is the expected one.
        """
        prompts_of = self._prompts_of(targets)
        beginnings = [
            self._beginnings.get((target.box, target.label), self._after((), target))
            for target in targets
        ]
        wanted = scale_boxes(pixels.new_tensor([target.box for target in targets]), size, (1, 1))
        bins = boxes_to_bins(wanted, len(self.bins)).tolist()
        scores, ious = (pixels.new_zeros(len(pixels), len(targets)) for _ in range(2))
        boxes = pixels.new_zeros(len(pixels), len(targets), 4)
        prompts = {prompt: self.prompts[prompt] for prompt in prompts_of}
        for pairs, encoded in read_pairs(self.checkpoint, pixels, prompts, ROWS):
            asked = [
                (row, image, number)
                for row, (image, prompt) in enumerate(pairs)
                for number, its_prompt in enumerate(prompts_of)
                if its_prompt == prompt
            ]
            for some in parts(asked, ROWS):
                rows, images, numbers = torch.tensor(some, device=self.device).T
                begun, corners = read_answers(
                    self.checkpoint,
                    encoded.rows(rows),
                    [beginnings[number] for _, _, number in some],
                    [bins[number] for _, _, number in some],
                )
                scores[images, numbers] = begun
                boxes[images, numbers], ious[images, numbers] = expected_boxes(
                    corners, wanted[numbers]
                )
        return TargetScores(scores, ious, scale_boxes(boxes, (1, 1), size))

    def scores(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target], mode: str = "object"
    ) -> Tensor:
        """s of targets: of each, the class score and the IoU of `score_targets`, with their
        gradients; see `vps.core.detector.DifferentiableDetector.scores`."""
        found = self.score_targets(pixels, size, targets)
        rates = found.class_scores
        return MODES[mode](found.ious, rates, rates[..., None])

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """ "backbone", the last layer of the image tower; see
        `vps.core.detector.FeatureDetector`."""
        return {"backbone": FeatureLayer(self.checkpoint.model.model.vision_tower, first_of)}

    def _prompts_of(self, targets: Sequence[Target]) -> list[int]:
        """The number of each target's prompt."""
        columns = [label_column(target.label, self.labels) for target in targets]
        return columns if self.settings.task.asks_each_label else [0] * len(columns)

    def _after(self, before: Sequence[int], target: Target) -> Beginning:
        """The label of a target after other tokens."""
        label = self.label_tokens[self.labels.index(target.label)]
        places = range(len(before), len(before) + len(label))
        return Beginning((*before, *label), tuple(places))

    def _place(
        self, target: Target, answer: WrittenAnswer, prompt: int, size: tuple[int, int]
    ) -> Beginning:
        """What stands before a target in an answer."""
        written = self.boxes(answer, prompt)
        column = self.labels.index(target.label)
        alike = [box for box, its_column in written if its_column == column]
        if not alike:
            end = written[-1][0].place + 4 if written else 0
            return self._fitting(self._after(answer.tokens[:end], target), target)
        found = bins_to_boxes(torch.tensor([box.bins for box in alike]), len(self.bins))
        ious = iou(scale_boxes(found, (1, 1), size), torch.tensor([target.box]))[:, 0]
        best = alike[int(ious.argmax())]
        if float(ious.max()) > SAME_IOU:
            return Beginning(tuple(answer.tokens[: best.place]), best.label)
        last = alike[-1]
        beginning = Beginning(tuple(answer.tokens[: last.place + 4]), last.label)
        return self._fitting(beginning, target)

    def _fitting(self, beginning: Beginning, target: Target) -> Beginning:
        """A beginning that leaves the decoder places for a box, or else the shortest one."""
        fits = len(beginning.tokens) + 4 <= self.checkpoint.answer_limit
        return beginning if fits else self._after((), target)

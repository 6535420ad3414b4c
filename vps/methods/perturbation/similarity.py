"""How like a target the best candidate of an image is: the weights of D-RISE's masks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from vps.core import boxes
from vps.core.asking import candidates
from vps.core.candidates import Candidates, as_seen, label_column
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError

Compared = Literal["candidates", "detections", "score", "class"]
"""What of an image is compared with a target, see `Similarity`."""


def check_compared(objectness: str, compared: Compared) -> None:
    """Raise InputError where objectness is left out of what has no such factor."""
    if objectness == "none" and compared != "candidates":
        raise InputError(f"similarity {compared!r} has no factor objectness: leave it out")


class Similarity:
    """Compares what a detector says of images with the targets of a problem.

        s(x) = max_i IoU(b_i, b*) cos(P_i, P*) O_i

    over all candidates i, with P the scores of all labels that the detector is asked for (a
    narrowed detector: those that remain) and O the objectness. P* of a target that is the
    detector's own are the scores of the candidate of the whole image that attains the maximum of
    IoU * score of the target's label; of a truth, or if there is no such candidate, 1 for its label
    and 0 for the others. Of a `TargetScorer`, which has no candidates, s = IoU * class score.

    Where detections are compared, i are those of the target's label that a user would see at the
    lowest threshold, after NMS (`vps.core.candidates.as_seen`); where scores or the class are, all
    candidates:

        s(x) = max_i IoU(b_i, b*) p_ic        s(x) = max_i p_ic

    with p_ic the score of the label. The first, of all candidates, is the score that is explained.

    Args:
        problem: what is asked. Its mode says nothing here.
        objectness: "auto" or "none", see `vps.methods.perturbation.drise.DRISE`.
        compared: "candidates", "detections", "score" or "class".

    Attributes:
        passes: how many images went through the detector.

    Raises:
        DetectorError: the detector fails at the whole image.
    """

    def __init__(
        self, problem: Problem, objectness: str, compared: Compared = "candidates"
    ) -> None:
        self.passes = 0
        self._detector = problem.detector
        self._size = problem.size
        self._targets = problem.targets
        self._objectness = objectness
        self._compared = compared
        self._scorer = problem.scorer
        whole = problem.pixels
        columns = [label_column(target.label, self._detector.labels) for target in self._targets]
        self._columns = torch.tensor(columns, device=whole.device)
        self._boxes = torch.tensor([target.box for target in self._targets], device=whole.device)
        try:
            with torch.no_grad():
                if self._scorer is None and compared == "candidates":
                    self._labels = self._distributions(whole)
        except Exception as error:
            raise self._failure(error, "the whole image") from error

    def __call__(self, images: Tensor, what: str) -> Tensor:
        """The similarity of each image with each target.

        Args:
            images: (B, 3, h, w) on the detector's grid and device, RGB in [0, 1].
            what: names the images in an error.

        Returns:
            (B, T) float32 in [0, 1], on the device of the images.

        Raises:
            DetectorError: the detector fails or breaks its contract.
        """
        try:
            with torch.no_grad():
                found = self._score(images)
        except Exception as error:
            # Whatever a model raises, it is the detector's failure.
            raise self._failure(error, what) from error
        if found.shape != (len(images), len(self._targets)) or not bool(found.isfinite().all()):
            wrong = f"similarities of shape {tuple(found.shape)}, or NaN or infinite ones"
            raise self._failure(DetectorError(wrong), what)
        return found.to(images.device)

    def _score(self, images: Tensor) -> Tensor:
        if self._scorer is not None:
            rates = self._scorer.score_targets(images, self._size, self._targets)
            self.passes += len(images)
            if self._compared == "class":
                return rates.class_scores.float()
            return rates.ious.float() * rates.class_scores.float()
        found = self._detect(images)
        where, scores = found.boxes.float(), found.scores.float()
        if where.shape[1] == 0:
            return where.new_zeros(len(images), len(self._targets))
        if self._compared == "class":
            return self._of_labels(scores).amax(dim=1)
        ious = boxes.iou(where, self._boxes.to(where)[None])
        return (ious * self._alike(found)).amax(dim=1)

    def _alike(self, found: Candidates) -> Tensor:
        """(B, N, T) what the IoU of each candidate with each target is multiplied by."""
        if self._compared == "detections":
            seen = as_seen(found)
            named = seen.label[..., None] == self._columns.to(seen.label)
            return torch.where(named & seen.kept[..., None], seen.score[..., None], 0.0)
        scores = found.scores.float()
        if self._compared == "score":
            return self._of_labels(scores)
        alike = normalize(scores, dim=-1) @ self._labels.to(scores).T
        if self._objectness == "auto":
            own = found.objectness
            alike = alike * (scores.amax(dim=-1) if own is None else own.float())[..., None]
        return alike

    def _of_labels(self, scores: Tensor) -> Tensor:
        """(B, N, T) the scores of the targets' labels."""
        return scores[..., self._columns.to(scores.device)]

    def _detect(self, images: Tensor) -> Candidates:
        found = candidates(self._detector, images, self._size)
        self.passes += len(images)
        return found

    def _distributions(self, whole: Tensor) -> Tensor:
        """(T, L) P* of each target, of length 1."""
        rows = one_hot(self._columns, len(self._detector.labels)).float()
        own = [number for number, target in enumerate(self._targets) if target.kind.traits.own_box]
        if own:
            found = self._detect(whole[None])
            scores = found.scores[0].float()
            rows = rows.to(scores)
            ious = boxes.iou(found.boxes[0].float(), self._boxes.to(scores))
            for number in own:
                value = ious[:, number] * scores[:, self._columns[number]]
                if bool((value > 0).any()):
                    rows[number] = scores[value.argmax()]
        return normalize(rows, dim=-1).to(whole.device)

    def _failure(self, error: Exception, what: str) -> DetectorError:
        why = str(error) or type(error).__name__
        return DetectorError(f"{self._detector.name}: {why} (at {what})")

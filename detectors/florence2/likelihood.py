"""How likely Florence-2 finds a given answer: one decoder pass instead of one a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from detectors.florence2.checkpoint import Florence2Checkpoint
from detectors.florence2.encoder import Encoded, next_tokens
from vps.core.boxes import iou

POINTS = 1024


@dataclass(frozen=True)
class Beginning:
    """What stands before a box in an answer, `cat <..><..><..><..> dog`.

    Attributes:
        tokens: the ids, the box's label among them and other boxes before it.
        label: the places of the label's tokens.
    """

    tokens: tuple[int, ...]
    label: tuple[int, ...]


def read_answers(
    checkpoint: Florence2Checkpoint,
    encoded: Encoded,
    beginnings: Sequence[Beginning],
    bins: Sequence[Sequence[int]],
) -> tuple[Tensor, Tensor]:
    """What the model expects at each place of R answers with a box in them (teacher forcing).

    Args:
        checkpoint: the model.
        encoded: R pairs of an image and a prompt.
        beginnings: what each answer begins with.
        bins: x1, y1, x2, y2 of the box that follows, counted in bins.

    Returns:
        (R,) float32, the probability of label and box where they stand: of each of the label's
        tokens given those before it, and of a location token at the end, multiplied. And
        (R, 4, bins) float32, the distribution of each coordinate among the bins, given what stands
        before it.
    """
    prefix, locations = checkpoint.prefix, checkpoint.locations
    answers = [
        [*prefix, *beginning.tokens, *(locations[k] for k in box)]
        for beginning, box in zip(beginnings, bins, strict=True)
    ]
    longest = max(map(len, answers))
    device = encoded.states.device
    # Nothing looks ahead, so that what stands after an answer does not matter.
    tokens = torch.tensor(
        [[*answer, *[checkpoint.end] * (longest - len(answer))] for answer in answers],
        device=device,
    )
    said = next_tokens(checkpoint, encoded, tokens[:, :-1])
    # said[:, i] is about the token i + 1.
    written = said.gather(2, tokens[:, 1:, None])[..., 0]
    of_label = torch.zeros_like(written)
    for row, beginning in enumerate(beginnings):
        of_label[row, [len(prefix) - 1 + place for place in beginning.label]] = 1
    ends = torch.tensor([[len(answer) - 5] for answer in answers], device=device)
    rows = torch.arange(len(said), device=device)[:, None]
    corners = said[rows, ends + torch.arange(4, device=device)]
    corners = corners[..., torch.tensor(locations, device=device)]
    begun = (written * of_label).sum(1) + corners[:, 0].logsumexp(-1)
    return begun.exp().clamp(max=1), corners.softmax(-1)


def expected_boxes(distributions: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The expected box, and the expected IoU with another box.

        E[IoU(b, b*)], b = (x1, y1, x2, y2), each coordinate drawn for itself

    The sum over all bins^4 boxes is replaced by the mean over 1024 points of a Sobol sequence,
    carried through the inverse of each coordinate's cumulated distribution. The points are always
    the same, so that equal distributions give equal results; the error is below 0.01.

    What is drawn has no gradient, but how likely it is does. With p(b) the product of the four
    probabilities, and the mean over the points as a baseline (Williams, "Simple statistical
    gradient-following algorithms", 1992), the IoU has the gradient

        sum_k (IoU(b_k, b*) - mean) grad log p(b_k) / 1024

    Args:
        distributions: (R, 4, bins), each summing to 1.
        boxes: (R, 4) xyxy b* in parts of the image.

    Returns:
        (R, 4) xyxy in parts of the image, and (R,) in [0, 1]. A box with its corners swapped is
        empty.
    """
    count = distributions.shape[-1]
    # The middle of each point's cell, because a Sobol sequence begins at 0.
    points = SobolEngine(4).draw(POINTS).to(distributions) + 0.5 / POINTS
    cumulated = distributions.cumsum(-1)
    cumulated = cumulated / cumulated[..., -1:]
    bins = torch.searchsorted(cumulated, points.T.expand(len(boxes), -1, -1).contiguous())
    bins = bins.clamp(max=count - 1)
    drawn = ((bins.float() + 0.5) / count).transpose(1, 2)
    centres = (torch.arange(count, device=boxes.device) + 0.5) / count
    ious = iou(drawn, boxes[:, None])[..., 0]
    mean = ious.mean(1)
    expected = mean.clamp(max=1)
    if distributions.requires_grad:
        likely = distributions.gather(2, bins).clamp(min=1e-12).log().sum(1)
        followed = ((ious - mean[:, None]) * likely).mean(1)
        # Nothing is added but the gradient.
        expected = expected + (followed - followed.detach())
    return distributions @ centres, expected

"""From the tokens that Florence-2 writes to boxes with labels, whatever it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class WrittenBox:
    """A box in an answer, `label <loc_12> <loc_30> <loc_480> <loc_77>`.

    Attributes:
        label: the places of its label's tokens in the answer.
        place: the place of its first location token.
        bins: x1, y1, x2, y2, counted in bins, x1 <= x2 and y1 <= y2.
    """

    label: tuple[int, ...]
    place: int
    bins: tuple[int, int, int, int]


def parse_boxes(
    tokens: Sequence[int], bins: Mapping[int, int], added: Set[int], silent: Set[int]
) -> list[WrittenBox]:
    """All boxes of an answer, in its order.

    An answer is text with location tokens in it. The text right before a run of them is the label
    of the boxes in that run, four tokens a box: "dog<12><30><480><77><500><1><600><99>cat<...>".
    Nothing that a model may write is an error: of a run, what is left over after the last four is
    dropped, and so are boxes without a label, boxes with their corners swapped, labels without
    boxes, and what belongs to a tag such as <poly>, which ends both a label and a run.

    Args:
        tokens: the ids, without the decoder's prefix.
        bins: the number k of each token <loc_k> by its id.
        added: ids of all tokens that are no plain text.
        silent: ids of those that are skipped: start, end, padding.
    """
    found = []
    label: list[int] = []
    run: list[int] = []
    for place, token in enumerate(tokens):
        if token in silent:
            continue
        if token in bins:
            run.append(place)
            if len(run) % 4 == 0 and label:
                x1, y1, x2, y2 = (bins[tokens[at]] for at in run[-4:])
                if x1 <= x2 and y1 <= y2:
                    found.append(WrittenBox(tuple(label), run[-4], (x1, y1, x2, y2)))
            continue
        if run or token in added:
            label, run = [], []
        if token not in added:
            label.append(place)
    return found


def bins_to_boxes(bins: Tensor, count: int) -> Tensor:
    """xyxy (..., 4) in parts of the image out of bins: each coordinate is the centre of its bin.

    transformers rounds the centres down to whole pixels, by up to a pixel; we do not.
    """
    return (bins.float() + 0.5) / count


def boxes_to_bins(boxes: Tensor, count: int) -> Tensor:
    """Bins (..., 4) that hold the coordinates of boxes xyxy (..., 4) in parts of the image."""
    return (boxes * count).floor().clamp(0, count - 1).to(torch.int64)

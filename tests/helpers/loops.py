"""The scores of candidates by plain loops, to hold the engine's against."""

import numpy as np

from tests.helpers.analytic import LABELS, TARGET

DOG = LABELS.index("dog")


def plain_iou(one, other) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return shared / (sum(areas) - shared)


def survivors(boxes, scores):
    """Which candidates class-wise NMS at 0.7 leaves, each called by its best label."""
    called, best = scores.argmax(axis=1), scores.max(axis=1)
    kept: list[int] = []
    for number in np.argsort(-best, kind="stable"):
        if best[number] >= 0.01 and not any(
            called[number] == called[other] and plain_iou(boxes[number], boxes[other]) > 0.7
            for other in kept
        ):
            kept.append(int(number))
    return kept


def by_loops(boxes, scores, mode):
    """The definitions of the modes and of what is found, read aloud."""
    best, found, other = np.zeros(7), np.zeros(6), np.array([0.0, -1.0])
    for box, row in zip(boxes, scores, strict=True):
        overlap, probability = plain_iou(box, TARGET.box), row[DOG]
        value = {
            "object": overlap * probability,
            "class": probability if overlap > 0.5 else 0,
            "box": overlap if np.argmax(row) == DOG else 0,
            "threshold": overlap * probability if probability > 0.35 else 0,
        }[mode]
        if value > best[0]:
            best = np.array([value, probability, overlap, *box])
    for number in survivors(boxes, scores):
        overlap, label = plain_iou(boxes[number], TARGET.box), scores[number].argmax()
        score = scores[number, label]
        if overlap > 0.5 and label == DOG and score > found[0]:
            found = np.array([score, overlap, *boxes[number]])
        if overlap > 0.5 and label != DOG and score > other[0]:
            other = np.array([score, label])
    return np.array([*best, *found, *other])

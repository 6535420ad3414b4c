"""What a set of regions is to bring about: tests on what the detector says of subsets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from vps.core.scoring import BestCandidates
from vps.core.targets import Kind, Target
from vps.errors import InputError

Goal = Callable[[BestCandidates[np.ndarray]], tuple[np.ndarray, np.ndarray]]
"""From what is seen of (K, T) subsets and targets to (K,) bool, whether a subset attains the goal,
and (K,) float64, how near it comes: higher is nearer, whatever the scale."""


def is_seen(best: BestCandidates[np.ndarray], number: int, threshold: float) -> np.ndarray:
    """(K,) bool: whether a target is found, as a user sees it (`vps.core.scoring.BestCandidates`).

    Args:
        best: (K, T).
        number: of the target.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
    """
    seen: np.ndarray = best.found_score[:, number] >= threshold
    return seen


def seen(number: int, threshold: float) -> Goal:
    """The detector finds the target; nearness is s."""
    return lambda best: (is_seen(best, number, threshold), best.score[:, number])


def unseen(number: int, threshold: float) -> Goal:
    """The detector does not find the target; nearness is -s."""
    return lambda best: (~is_seen(best, number, threshold), -best.score[:, number])


def wins(number: int, rival: int, threshold: float) -> Goal:
    """The detector finds one target, scores it higher than its rival, and nothing else outdoes it.

    Both are targets of the same passes. A detection of any other label in the target's box must
    score less. Nearness is the contrast s_A - s_B.
    """

    def goal(best: BestCandidates[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        contrast = best.score[:, number] - best.score[:, rival]
        first = best.found_score[:, number] > best.other_score[:, number]
        return is_seen(best, number, threshold) & first & (contrast > 0), contrast

    return goal


def single(number: int, other: int, threshold: float) -> Goal:
    """The detector finds one object once: a duplicate is gone, and what it duplicates is not.

    Candidates that fit the other box better are not the duplicate's, see `with_rival`. Nearness is
    the contrast s_other - s.

    Args:
        number, other: of the duplicate and of what it duplicates, both of the same passes.
        threshold: as for `is_seen`.
    """

    def goal(best: BestCandidates[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        merged = is_seen(best, other, threshold) & ~is_seen(best, number, threshold)
        return merged, best.score[:, other] - best.score[:, number]

    return goal


def repaired(targets: Sequence[Target], threshold: float) -> Goal:
    """A failure is gone, or a correct detection lost; what that means depends on the kind.

        missed                         the target is found
        classification, localisation,
        both, grounded_wrong           the target is found, and scores higher than its rival
        duplicate                      with a rival: the object is found once, see `single`
        background, duplicate          the target is not found
        correct, grounded_right        likewise

    Args:
        targets: of the same passes: what is asked about, and its rival where it has one.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
    """
    kind = targets[0].kind
    if kind is Kind.MISSED:
        return seen(0, threshold)
    if kind.traits.rival:
        return wins(0, 1, threshold)
    if kind is Kind.DUPLICATE and len(targets) > 1:
        return single(0, 1, threshold)
    return unseen(0, threshold)


def with_rival(target: Target, rival: Target | None = None) -> tuple[Target, ...]:
    """A target and what it is held against, where its kind has something.

    A duplicate with a rival gets the rival's box as its `predicted_box`.

    Args:
        target: what is asked about.
        rival: what the detector said instead, or what a duplicate duplicates; by default
            `target.predicted_label` on the same box for "classification", and otherwise
            `predicted_label`, or the same label, on `predicted_box`.

    Raises:
        InputError: a rival of a kind that has none, or none where the kind needs one.
    """
    kind = target.kind
    if kind is Kind.DUPLICATE:
        if rival is None:
            return (target,)
        return dataclasses.replace(target, predicted_box=rival.box), rival
    if not kind.traits.rival:
        if rival is not None:
            raise InputError(f"a target of kind {kind.value} has no rival")
        return (target,)
    if rival is None:
        same_box = kind is Kind.CLASSIFICATION or target.predicted_box is None
        box = target.box if same_box else target.predicted_box or target.box
        rival = Target(box, target.predicted_label or target.label)
    if (rival.box, rival.label) == (target.box, target.label):
        raise InputError(
            f"a target of kind {kind.value} needs what the detector said instead: another label or "
            "another box"
        )
    return target, rival

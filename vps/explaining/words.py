"""Which words of a phrase a detector goes by: the search for sets of regions, over words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor

from vps.core.asking import candidates, check_detector, prepared
from vps.core.boxes import iou
from vps.core.candidates import label_column
from vps.core.detect import Detection, as_target
from vps.core.detector import Detector, PromptedDetector, WordHider
from vps.core.images import AnyImage
from vps.core.needed import open_for
from vps.core.scoring import CLASS_MODE_IOU, COLUMNS, BestCandidates, best_candidates
from vps.core.targets import Target
from vps.engine.budget import Budget, StopReason, as_budget
from vps.engine.passes import SubsetPasses, check_targets
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.explaining.settings import as_problem, check_threshold
from vps.results.word_answer import ELSEWHERE, LOST, RIGHT, SAME, Word, WordAnswer, WordSet
from vps.sets.goals import Goal
from vps.sets.smallest import smallest_set

Seen = BestCandidates[np.ndarray]
"""(K, 3), see `WordPasses`."""

_TARGET, _SAID, _TOP = range(3)  # places in what is seen
_MOST = 256  # passes for a set


@overload
def explain_words(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    *,
    threshold: float = 0.3,
    budget: Budget | int | None = None,
) -> WordAnswer | None: ...


@overload
def explain_words(
    detector: Problem, *, threshold: float = 0.3, budget: Budget | int | None = None
) -> WordAnswer | None: ...


def explain_words(
    detector: Detector | Problem,
    image: AnyImage | None = None,
    target: Target | Detection | None = None,
    *,
    threshold: float = 0.3,
    budget: Budget | int | None = None,
) -> WordAnswer | None:
    """Which words of the target's label decide to which box the detector grounds it.

    The whole image is shown, and of the label some words; the others are hidden and keep their
    places (`vps.core.detector.WordHider`). A label is grounded to the box of its highest-scoring
    candidate.

    Args:
        detector: what is explained; or a `Problem`, whose first target is meant.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: the true box, with the phrase as its label; kind and `predicted_` are not looked
            at, since the detector says itself to which box it grounds the phrase.
        threshold: the lowest score of a candidate that counts; where not even the whole phrase
            reaches it, all count.
        budget: its passes are about the most for each set of words, see
            `vps.sets.smallest.smallest_set`; at most, and by default, 256, all subsets of 8 words.
            After its seconds, no search for a set begins a further pass; each word alone is hidden
            in any case.

    Returns:
        The answer; None for a label of one word, and where the detector finds nothing at all.

    Raises:
        InputError: a detector that cannot hide words, or an image, target or setting that cannot be
            used.
        DetectorError: the detector fails or breaks its contract.
        KeyboardInterrupt: Ctrl-C.
    """
    start = time.perf_counter()
    cost = as_budget(budget)
    check_threshold(threshold)
    if isinstance(detector, Problem):
        as_problem(detector, image, None if target is None else [target], {})
        hider, target, size = detector.whole_detector, detector.targets[0], detector.size
    elif image is None or target is None:
        raise InputError("explain_words needs a detector, an image and a target")
    else:
        check_detector(detector)
        opened = open_for(detector, image)
        hider, size = detector, opened.size
        (target,) = check_targets(hider, size, [as_target(target)])
    if isinstance(hider, PromptedDetector):
        hider = hider.narrowed((target.label,))
    if not isinstance(hider, WordHider):
        raise InputError(f"{hider.name} cannot hide words of a label; explain regions only")
    texts = hider.words(target.label)
    if len(texts) < 2:
        return None
    pixels = detector.pixels if isinstance(detector, Problem) else prepared(hider, opened.pixels)
    source = WordPasses(hider, pixels, size, target)
    whole = source.evaluate(np.ones((1, len(texts)), bool))[0]
    if not whole[_TOP].score > 0:
        return None
    most = _MOST if cost.passes is None else min(cost.passes, _MOST)
    asked = PhraseGoals(source, whole, threshold, cost.within(most))
    words = asked.words(texts)
    order = np.argsort([-word.importance for word in words], kind="stable")
    x1, y1, x2, y2 = whole[_TOP].box.tolist()
    sufficient = asked.find(asked.same, order, hide=False)
    necessary = asked.find(asked.changed, order, hide=True)
    right = asked.right_at_first
    repair = None if right else asked.find(asked.right, order, hide=True)
    return WordAnswer(
        label=target.label,
        right=right,
        said=(x1, y1, x2, y2),
        said_score=float(whole[_SAID].found_score),
        target_score=float(whole[_TARGET].found_score),
        words=words,
        sufficient=sufficient,
        necessary=necessary,
        repair=repair,
        threshold=asked.threshold,
        stopped=asked.stopped,
        passes=source.passes,
        seconds=time.perf_counter() - start,
    )


class WordPasses(SubsetPasses):
    """Shows a detector an image, and subsets of the words of a target's label.

    What is seen of a subset is (3,): the target; the *said box*, to which the first subset that is
    asked for is grounded; and the highest-scoring candidate, whose IoU is that with the target, and
    whose `found_score` is the highest score of candidates that are not on the said box (IoU at most
    0.5). All zeros where no candidate scores.

    Args:
        detector: what is explained.
        pixels: (3, h, w) float32, what `detector.prepare` gave.
        size: (H, W) of the original image.
        target: whose label has the n words.
    """

    parts = "words"

    def __init__(
        self, detector: WordHider, pixels: Tensor, size: tuple[int, int], target: Target
    ) -> None:
        # Each subset is a prompt of its own, so that no two share a batch.
        super().__init__(detector, len(detector.words(target.label)), targets=3, batch_size=1)
        self._hider = detector
        self._pixels, self._size = pixels, size
        self._label, self._column = target.label, label_column(target.label, detector.labels)
        self._target = torch.tensor(target.box, device=pixels.device)
        self._said: Tensor | None = None

    def _score(self, keep: np.ndarray) -> BestCandidates[Tensor]:
        """(1, 3) for (1, n) words that are shown."""
        detector = self._hider.with_hidden(self._label, keep[0])
        found = candidates(detector, self._pixels[None], self._size)
        boxes, scores = found.boxes[0].float(), found.scores[0, :, self._column].float()
        if not bool((scores > 0).any()):
            return BestCandidates(self._pixels.new_zeros(1, 3, COLUMNS))
        best = scores.argmax()
        if self._said is None:
            self._said = boxes[best]
        overlaps = iou(boxes, torch.stack([self._target, self._said]))
        elsewhere = torch.where(overlaps[:, 1] <= CLASS_MODE_IOU, scores, 0.0).max()
        top = scores.new_zeros(COLUMNS)
        top[:8] = torch.cat(
            [scores[best].repeat(2), overlaps[best, :1], boxes[best], elsewhere[None]]
        )
        target, said = (
            best_candidates(found, box, self._column, "object")[0].table
            for box in (self._target, self._said)
        )
        return BestCandidates(torch.stack([target, said, top])[None])


class PhraseGoals:
    """What is asked of the passes, on what `WordPasses` sees.

    Args:
        source: of the phrase.
        whole: (3,), what is seen with all words shown.
        threshold: as for `explain_words`.
        budget: for each set.

    Attributes:
        stopped: as of `WordAnswer`.
    """

    def __init__(
        self,
        source: WordPasses,
        whole: Seen,
        threshold: float,
        budget: Budget,
    ) -> None:
        self._source, self._whole, self._budget = source, whole, budget
        self.stopped = StopReason.FINISHED
        self.threshold = threshold if whole[_TOP].score >= threshold else 0.0
        self.right_at_first = bool(_on_target(whole[None])[0])

    def words(self, texts: Sequence[str]) -> tuple[Word, ...]:
        """Each word with what is said without it."""
        without = self._source.evaluate(~np.eye(len(texts), dtype=bool))
        losses = _lead(self._whole[None]) - _lead(without)
        said, target = without.found_score[:, _SAID], without.found_score[:, _TARGET]
        return tuple(
            Word(
                text,
                float(said[number]),
                float(target[number]),
                self._lands(without[number]),
                float(losses[number]),
            )
            for number, text in enumerate(texts)
        )

    def same(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """A goal: the phrase is grounded as with all its words; nearness is the lead."""
        on_target, lead = _on_target(seen), _lead(seen)
        stays = on_target if self.right_at_first else ~on_target & (lead >= 0)
        return stays & self._enough(seen), lead

    def changed(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """A goal: it is not; nearness is the lead, negative."""
        same, lead = self.same(seen)
        return ~same, -lead

    def right(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """A goal: the phrase is grounded to the target; nearness is how little it is behind."""
        behind = seen.score[:, _TOP] - seen.found_score[:, _TARGET]
        return _on_target(seen) & self._enough(seen), -behind

    def find(self, goal: Goal, order: np.ndarray, *, hide: bool) -> WordSet | None:
        """The smallest set of words that attains a goal, likely ones first in the order."""
        found = smallest_set(self._source, goal, [order], hide=hide, budget=self._budget)
        if found.stopped is not StopReason.CANCELLED:
            found.stopped.raise_again(found.error)
        if found.stopped.early:
            # What there is of a set may hold words that are not needed.
            self.stopped = found.stopped
            return None
        if found.regions is None:
            return None
        shown = np.full((1, self._source.count), hide)
        shown[0, found.regions] = not hide
        seen = self._source.evaluate(shown)[0]
        lands = self._lands(seen)
        score = float(seen[_TARGET if lands == RIGHT else _SAID].found_score)
        return WordSet(tuple(int(place) for place in found.regions), score, lands, found.exact)

    def _lands(self, seen: Seen) -> str:
        """Where the phrase is grounded, by what is seen (3,) of one subset."""
        one = seen[None]
        if self.same(one)[0][0]:
            return SAME
        if not self._enough(one)[0]:
            return LOST
        return RIGHT if _on_target(one)[0] else ELSEWHERE

    def _enough(self, seen: Seen) -> np.ndarray:
        """(K,) bool: whether the highest-scoring candidate counts."""
        scores = seen.score[:, _TOP]
        enough: np.ndarray = (scores >= self.threshold) & (scores > 0)
        return enough


def _on_target(seen: Seen) -> np.ndarray:
    """(K,) bool: whether the highest-scoring candidate is on the target."""
    on_target: np.ndarray = seen.iou[:, _TOP] > CLASS_MODE_IOU
    return on_target


def _lead(seen: Seen) -> np.ndarray:
    """(K,) the score of the said box less the highest score elsewhere."""
    lead: np.ndarray = seen.found_score[:, _SAID] - seen.found_score[:, _TOP]
    return lead

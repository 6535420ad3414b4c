"""Which words of a phrase a detector goes by: the search for sets of regions, over words."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vps.core.boxes import iou
from vps.core.candidates import label_column
from vps.core.detector import Detector, PromptedDetector, WordHider
from vps.core.images import AnyImage, open_image
from vps.core.scoring import CLASS_MODE_IOU, best_candidates
from vps.core.targets import Target
from vps.engine.budget import StopReason
from vps.engine.passes import SubsetPasses, candidates, check_targets
from vps.errors import InputError
from vps.results.word_answer import ELSEWHERE, LOST, RIGHT, SAME, Word, WordAnswer, WordSet
from vps.sets.goals import Goal
from vps.sets.smallest import smallest_set

_TARGET, _SAID, _TOP = range(3)  # rows of a pass
_MOST = 256  # passes for a set


def explain_words(
    detector: Detector,
    image: AnyImage,
    target: Target,
    *,
    threshold: float = 0.3,
    set_passes: int | None = None,
    deadline: float | None = None,
) -> WordAnswer | None:
    """Which words of the target's label decide to which box the detector grounds it.

    The whole image is shown, and of the label some words; the others are hidden and keep their
    places (`vps.core.detector.WordHider`). A label is grounded to the box of its highest-scoring
    candidate.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: the true box, with the phrase as its label; kind and `said_` are not looked at,
            since the detector says itself to which box it grounds the phrase.
        threshold: the lowest score of a candidate that counts; where not even the whole phrase
            reaches it, all count.
        set_passes: about the most passes for each set of words, see
            `vps.sets.smallest.smallest_set`; at most, and by default, 256, all subsets of 8 words.
        deadline: of `time.monotonic`, after which no search for a set begins a further pass; None
            for none. Each word alone is hidden in any case.

    Returns:
        The answer; None for a label of one word, and where the detector finds nothing at all.

    Raises:
        InputError: a detector that cannot hide words, or an image, target or setting that cannot be
            used.
        DetectorError: the detector fails or breaks its contract.
    """
    start = time.perf_counter()
    if not 0 < threshold <= 1:
        raise InputError(f"a threshold lies in (0, 1], got {threshold}")
    rgb, _ = open_image(image)
    size = (rgb.shape[0], rgb.shape[1])
    check_targets(detector, size, [target])
    if isinstance(detector, PromptedDetector):
        detector = detector.narrowed((target.label,))
    if not isinstance(detector, WordHider):
        raise InputError(f"{detector.name} cannot hide words of a label; explain regions only")
    texts = detector.words(target.label)
    if len(texts) < 2:
        return None
    source = WordPasses(detector, detector.prepare(rgb), size, target)
    whole = source.evaluate(np.ones((1, len(texts)), bool))
    if not whole[0, _TOP, 0] > 0:
        return None
    most = _MOST if set_passes is None else min(set_passes, _MOST)
    asked = PhraseGoals(source, whole, threshold, most, deadline)
    words = asked.words(texts)
    order = np.argsort([-word.importance for word in words], kind="stable")
    x1, y1, x2, y2 = whole[0, _TOP, 3:7].tolist()
    sufficient = asked.find(asked.same, order, hide=False)
    necessary = asked.find(asked.changed, order, hide=True)
    right = asked.right_at_first
    repair = None if right else asked.find(asked.right, order, hide=True)
    return WordAnswer(
        label=target.label,
        right=right,
        said=(x1, y1, x2, y2),
        said_score=float(whole[0, _SAID, 7]),
        target_score=float(whole[0, _TARGET, 7]),
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

    Rows are (K, 3, 8): what `vps.core.scoring.best_candidates` says of the target; the same of the
    *said box*, to which the first subset that is asked for is grounded; and the highest-scoring
    candidate, as its score, again its score, its IoU with the target, its box xyxy, and the highest
    score of candidates that are not on the said box (IoU at most 0.5). All zeros where no candidate
    scores.

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

    def _score(self, keep: np.ndarray) -> Tensor:
        """(1, 3, 8) rows for (1, n) words that are shown."""
        detector = self._hider.with_hidden(self._label, keep[0])
        found = candidates(detector, self._pixels[None], self._size)
        boxes, scores = found.boxes[0].float(), found.scores[0, :, self._column].float()
        if not bool((scores > 0).any()):
            return self._pixels.new_zeros(1, 3, 8)
        best = scores.argmax()
        if self._said is None:
            self._said = boxes[best]
        overlaps = iou(boxes, torch.stack([self._target, self._said]))
        elsewhere = torch.where(overlaps[:, 1] <= CLASS_MODE_IOU, scores, 0.0).max()
        top = [scores[best].repeat(2), overlaps[best, :1], boxes[best], elsewhere[None]]
        target, said = (
            best_candidates(found, box, self._column, "object")[0]
            for box in (self._target, self._said)
        )
        return torch.stack([target, said, torch.cat(top)])[None]


class PhraseGoals:
    """What is asked of the passes, on rows as of `WordPasses`.

    Args:
        source: of the phrase.
        whole: (1, 3, 8), its rows with all words shown.
        threshold, deadline: as for `explain_words`.
        passes: for each set.

    Attributes:
        stopped: as of `WordAnswer`.
    """

    def __init__(
        self,
        source: WordPasses,
        whole: np.ndarray,
        threshold: float,
        passes: int,
        deadline: float | None,
    ) -> None:
        self._source, self._whole = source, whole
        self._passes, self._deadline = passes, deadline
        self.stopped = StopReason.FINISHED
        self.threshold = threshold if whole[0, _TOP, 0] >= threshold else 0.0
        self.right_at_first = bool(_on_target(whole)[0])

    def words(self, texts: Sequence[str]) -> tuple[Word, ...]:
        """Each word with what is said without it."""
        rows = self._source.evaluate(~np.eye(len(texts), dtype=bool))
        losses = _lead(self._whole) - _lead(rows)
        return tuple(
            Word(text, float(row[_SAID, 7]), float(row[_TARGET, 7]), self._lands(row), float(loss))
            for text, row, loss in zip(texts, rows, losses, strict=True)
        )

    def same(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A goal: the phrase is grounded as with all its words; nearness is the lead."""
        on_target, lead = _on_target(rows), _lead(rows)
        stays = on_target if self.right_at_first else ~on_target & (lead >= 0)
        return stays & self._enough(rows), lead

    def changed(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A goal: it is not; nearness is the lead, negative."""
        same, lead = self.same(rows)
        return ~same, -lead

    def right(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A goal: the phrase is grounded to the target; nearness is how little it is behind."""
        behind = rows[:, _TOP, 0] - rows[:, _TARGET, 7]
        return _on_target(rows) & self._enough(rows), -behind

    def find(self, goal: Goal, order: np.ndarray, *, hide: bool) -> WordSet | None:
        """The smallest set of words that attains a goal, likely ones first in the order."""
        found = smallest_set(
            self._source, goal, [order], hide=hide, passes=self._passes, deadline=self._deadline
        )
        if found.error is not None:
            raise found.error
        if found.stopped is StopReason.INTERRUPTED:
            raise KeyboardInterrupt
        if found.stopped is StopReason.TIME_LIMIT:
            # What there is of a set may hold words that are not needed.
            self.stopped = found.stopped
            return None
        if found.regions is None:
            return None
        shown = np.full((1, self._source.count), hide)
        shown[0, found.regions] = not hide
        row = self._source.evaluate(shown)[0]
        lands = self._lands(row)
        score = float(row[_TARGET if lands == RIGHT else _SAID, 7])
        return WordSet(tuple(int(place) for place in found.regions), score, lands, found.exact)

    def _lands(self, row: np.ndarray) -> str:
        """Where (3, 8) rows of one subset say that the phrase is grounded."""
        rows = row[None]
        if self.same(rows)[0][0]:
            return SAME
        if not self._enough(rows)[0]:
            return LOST
        return RIGHT if _on_target(rows)[0] else ELSEWHERE

    def _enough(self, rows: np.ndarray) -> np.ndarray:
        """(K,) bool: whether the highest-scoring candidate counts."""
        scores = rows[:, _TOP, 0]
        enough: np.ndarray = (scores >= self.threshold) & (scores > 0)
        return enough


def _on_target(rows: np.ndarray) -> np.ndarray:
    """(K,) bool: whether the highest-scoring candidate is on the target."""
    on_target: np.ndarray = rows[:, _TOP, 2] > CLASS_MODE_IOU
    return on_target


def _lead(rows: np.ndarray) -> np.ndarray:
    """(K,) the score of the said box less the highest score elsewhere."""
    lead: np.ndarray = rows[:, _SAID, 7] - rows[:, _TOP, 7]
    return lead

"""A detector that reads the words of a phrase by a rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from vps.core.candidates import Candidates
from vps.results.word_answer import LOST, SAME, Word, WordAnswer, WordSet

LEFT, MIDDLE, FAR = (0.0, 0.0, 5.0, 8.0), (5.0, 0.0, 10.0, 8.0), (10.0, 0.0, 15.0, 8.0)
BOXES = (LEFT, MIDDLE, FAR)
PHRASE = "a very big red dog"


Rule = Callable[[np.ndarray], tuple[float, float, float]]


class WordDetector:
    """Grounds one phrase by a rule on the words that it sees."""

    device = torch.device("cpu")
    name = "words"

    def __init__(self, rule: Rule, label: str = PHRASE, keep: np.ndarray | None = None) -> None:
        self.rule, self.labels = rule, (label,)
        self.keep = np.ones(len(label.split()), bool) if keep is None else keep
        self.shown: list[np.ndarray] = []

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def words(self, label: str) -> tuple[str, ...]:
        return tuple(label.split())

    def with_hidden(self, label: str, keep: np.ndarray) -> WordDetector:
        hidden = WordDetector(self.rule, label, self.keep & keep)
        hidden.shown = self.shown
        return hidden

    def detect(self, pixels: torch.Tensor, size: tuple[int, int]) -> Candidates:
        self.shown.append(self.keep)
        scores = torch.tensor(self.rule(self.keep)).float() * bool(self.keep.any())
        return Candidates(
            torch.tensor([BOXES]).repeat(len(pixels), 1, 1),
            scores[None, :, None].repeat(len(pixels), 1, 1),
            self.labels,
        )


def needs_0_and_3(keep: np.ndarray) -> tuple[float, float, float]:
    """The left box if words 0 and 3 are seen; word 1 adds a little; 2 and 4 do nothing."""
    return 0.3 + 0.3 * (keep[0] and keep[3]) + 0.2 * keep[1], 0.5, 0.1


def two_words(label: str, score: float, ignored: float, alone: float, passes: int) -> WordAnswer:
    """A right grounding of a phrase of two words that goes by the second.

    Args:
        label: the phrase.
        score: of the box with both words.
        ignored: its score without the first.
        alone: its score with only the second.
        passes: that it took.
    """
    first, second = label.split()
    return WordAnswer(
        label=label,
        right=True,
        said=(0.0, 1.5, 4.0, 4.0),
        said_score=score,
        target_score=score,
        words=(
            Word(first, ignored, ignored, SAME, 0.0),
            Word(second, 0.1, 0.1, LOST, 0.5),
        ),
        sufficient=WordSet((1,), alone, SAME, True),
        necessary=WordSet((1,), 0.1, LOST, True),
        repair=None,
        threshold=0.3,
        passes=passes,
        seconds=0.1,
    )

"""What `vps.explaining.words.explain_words` answers: words of a phrase, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from vps.core.schema import build
from vps.core.targets import Box
from vps.engine.budget import StopReason
from vps.results.showing import ShowsItself
from vps.results.stored import check_words

TOLERANCE = 0.1
"""By how much a score may change that counts as unchanged; hiding "the" from the demo detector
changes it by less in four of five phrases."""

SAME, RIGHT, ELSEWHERE, LOST = "same", "right", "elsewhere", "lost"
"""Where a phrase is grounded without some of its words: to the same box as with all of them; to the
target, and not before; to another box; or to none that scores enough."""

ARTICLES = ("the", "a", "an")  # nobody asks whether they are ignored


@dataclass(frozen=True)
class Word:
    """A word of a phrase, and what the detector says when it alone is hidden.

    Scores are the highest class scores of any candidate with IoU > 0.5 with a box.

    Attributes:
        text: as the detector reads it.
        said_score: of the box that the whole phrase is grounded to.
        target_score: of the target's box.
        lands: one of SAME, RIGHT, ELSEWHERE, LOST.
        importance: how much of its lead the said box loses, in [-2, 2]. The lead is its score less
            the highest score elsewhere, so that a word counts as well if it keeps others down.
    """

    text: str
    said_score: float
    target_score: float
    lands: str
    importance: float


@dataclass(frozen=True)
class WordSet:
    """A set of words and what the detector says when it is shown alone, or hidden.

    Attributes:
        words: their places, ascending.
        score: the highest class score with IoU > 0.5 of the box in question: the said one, or for
            `WordAnswer.repair` the target's.
        lands: one of SAME, RIGHT, ELSEWHERE, LOST.
        exact: no set of fewer words does the same; otherwise, only no word can be left out.
    """

    words: tuple[int, ...]
    score: float
    lands: str
    exact: bool


@dataclass(frozen=True, repr=False)
class WordAnswer(ShowsItself):
    """Which words of a phrase decide to which box it is grounded: that of the best candidate.

    Attributes:
        label: the phrase.
        right: whether it is grounded right: that box has IoU > 0.5 with the target's.
        said: that box, xyxy, pixels of the original image.
        said_score: its class score.
        target_score: the highest class score of a candidate with IoU > 0.5 with the target.
        words: n of them, in order.
        sufficient: the smallest set of words that alone give the same box.
        necessary: the smallest set of words without which it is another box, or none.
        repair: where it is grounded wrong, the smallest set of words without which it is grounded
            right.
        threshold: the score that a candidate needs.
        passes: of everything together.
        seconds: likewise, wall clock.
        stopped: FINISHED, or TIME_LIMIT: then the sets that were not searched for to the
            end are None.
    """

    drawer: ClassVar[str] = "vps.report.figures.word_row:draw_words"

    label: str
    right: bool
    said: Box
    said_score: float
    target_score: float
    words: tuple[Word, ...]
    sufficient: WordSet | None
    necessary: WordSet | None
    repair: WordSet | None
    threshold: float
    passes: int
    seconds: float
    stopped: StopReason = StopReason.FINISHED

    def __repr__(self) -> str:
        return f"WordAnswer({self._caption()})"

    @property
    def used(self) -> tuple[int, ...]:
        """Places of words that the box needs or could go by, or that add to its score or lead."""
        held = set(self.sufficient.words if self.sufficient else ())
        # Without any word nothing is found; that none can be told from another says nothing.
        if self.necessary and len(self.necessary.words) < len(self.words):
            held |= set(self.necessary.words)
        return tuple(
            place
            for place, word in enumerate(self.words)
            if place in held
            or word.lands != SAME
            or max(word.importance, self.said_score - word.said_score) > TOLERANCE
        )

    @property
    def ignored(self) -> tuple[int, ...]:
        """Places of words that change nothing: neither the box, nor a score by over `TOLERANCE`.

        A word that another can stand in for changes nothing either when it alone is hidden, but
        one of the sets holds it, so that it is not among these.
        """
        if not self._sets_known:
            return ()
        held = {*self.used, *(self.repair.words if self.repair else ())}
        return tuple(
            place
            for place, word in enumerate(self.words)
            if place not in held
            and abs(word.said_score - self.said_score) <= TOLERANCE
            and abs(word.target_score - self.target_score) <= TOLERANCE
        )

    @property
    def _sets_known(self) -> bool:
        """Both exist always, and are None where the passes did not suffice to find them."""
        return self.sufficient is not None and self.necessary is not None

    @property
    def unsettling(self) -> tuple[int, ...]:
        """Places of words that leave the box where it is and lower its score: it rises without."""
        return tuple(
            place
            for place, word in enumerate(self.words)
            if place not in self.used and word.said_score > self.said_score + TOLERANCE
        )

    def sentence(self) -> str:
        """The answer in one sentence of plain English, with its numbers; "it" is the detector."""
        ignored, unsettling = (
            [place for place in places if self.words[place].text not in ARTICLES]
            for places in (self.ignored, self.unsettling)
        )
        if self.used:
            text = f"it goes by {self._named(self.used)}"
        elif self._sets_known:
            text = "it goes by no word in particular"
        else:
            text = "none alone makes a difference"
        if ignored:
            text += f" and ignores {self._named(ignored)}: {self._without(ignored)}"
        parts = [text]
        if unsettling:
            verb = "lowers" if len(unsettling) == 1 else "lower"
            idle = f"{self._named(unsettling)} only {verb} the score: "
            parts.append(idle + self._without(unsettling))
        alone = self.sufficient
        if alone is not None and len(alone.words) < len(self.used):
            verb = "gives" if len(alone.words) == 1 else "give"
            parts.append(
                f"{self._named(alone.words)} alone {verb} the same box, at {alone.score:.2f}"
            )
        parts.append(self._change())
        return "; ".join(part for part in parts if part)

    def _change(self) -> str:
        """What hiding brings about."""
        if self.repair is not None:
            names = self._named(self.repair.words)
            return f"hide {names} and it is grounded right, at {self.repair.score:.2f}"
        if not self.right and not self._sets_known:
            return ""
        if not self.right:
            return "no hiding of words was found that grounds it right"
        if self.necessary is None or len(self.necessary.words) == len(self.words):
            return ""
        loss = "another box wins" if self.necessary.lands == ELSEWHERE else "it finds nothing"
        return f"without {self._named(self.necessary.words)}, {loss}"

    def _without(self, places: Sequence[int]) -> str:
        """What is said without any one of these words, each of which leaves the box as it is."""
        scores = sorted(self.words[place].said_score for place in places)
        span = " to ".join(dict.fromkeys(f"{score:.2f}" for score in (scores[0], scores[-1])))
        which = "it" if len(places) == 1 else "any one of them"
        box = "the box" if self.right else "the wrong box"
        return f"without {which} {box} stays and scores {span} instead of {self.said_score:.2f}"

    def _size(self) -> None:
        return None

    def _caption(self) -> str:
        return self.sentence()

    def _named(self, places: Sequence[int]) -> str:
        names = [f'"{self.words[place].text}"' for place in places]
        return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])

    def record(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Any) -> WordAnswer:
        """What `record` gave, also after a way through JSON; equal to what it was made of.

        Raises:
            InputError: it is no such record; the message names the field.
        """
        found: WordAnswer = build(cls, record)
        check_words(found)
        return found

"""What a visitor asks, and the computation that answers it."""

from __future__ import annotations

import dataclasses
import enum
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from vps.app.turns import Turn
from vps.core.detect import Detection
from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.core.names import choose
from vps.core.numbers import check_whole
from vps.core.targets import Box, Kind, Target
from vps.engine.budget import Budget, Progress
from vps.engine.problem import Problem, make_problem
from vps.errors import IncompleteError, InputError
from vps.explaining.cost import Cost, cost_of, planned_passes
from vps.explaining.explain import explain
from vps.explaining.failure import explain_failure, planned_failure_passes
from vps.explaining.words import explain_words
from vps.methods import METHODS, Method, make_method
from vps.methods.listing import example_problem
from vps.methods.search.vps import VPS
from vps.results.answer import Answer
from vps.results.explanation import Explanation
from vps.results.word_answer import WordAnswer
from vps.search.settings import EFFORTS
from vps.sets.goals import with_rival

MOST_PAGE_REGIONS = 400


class Why(str, enum.Enum):
    """The questions of the page."""

    MAP = "map"
    SMALLEST = "smallest"
    FALSE_BOX = "false-box"
    MISSED = "missed"
    WHY_NOT = "why-not"
    WORDS = "words"


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        why: which.
        number: of the detection that it is about, from 0; None for a box of the visitor's own.
        box, label: of what was missed; for "why not", the label that it should have had.
    """

    why: Why
    number: int | None = None
    box: Box | None = None
    label: str | None = None

    def target(self, found: Sequence[Detection]) -> Target:
        """What is explained.

        Raises:
            InputError: what the question needs is not there.
        """
        if self.why is Why.MISSED:
            if self.box is None or not self.label:
                raise InputError("draw the box of what was missed, and say what it is")
            return Target(self.box, self.label, Kind.MISSED)
        if self.number is None or not 0 <= self.number < len(found):
            raise InputError("click one of the boxes first")
        said = found[self.number]
        if self.why is Why.FALSE_BOX:
            return Target(said.box, said.label, Kind.BACKGROUND)
        if self.why is not Why.WHY_NOT:
            return Target(said.box, said.label)
        if not self.label:
            raise InputError("say what it should have been called")
        if self.label == said.label:
            raise InputError(f"it is called {said.label} already: say another label")
        return Target(said.box, self.label, Kind.CLASSIFICATION, said.label, said.box)


@dataclass(frozen=True)
class How:
    """The settings of the page.

    Raises:
        InputError: a value that there is not, or out of range.
    """

    method: str = VPS.name
    effort: str = "balanced"
    regions: int = 36
    seed: int = 0

    def __post_init__(self) -> None:
        choose(METHODS, self.method, "method")
        choose(dict.fromkeys(EFFORTS), self.effort, "effort")
        check_whole("regions", self.regions, 2, MOST_PAGE_REGIONS)

    def made(self) -> Method:
        """The method with its settings."""
        return make_method(self.method, {"effort": self.effort} if self.method == "vps" else {})


class Heard(NamedTuple):
    """How far a question is.

    Attributes:
        progress: of the passes.
        planned: the most passes, about.
        so_far: what is known; None at first, and of methods that are no search.
    """

    progress: Progress
    planned: int
    so_far: Explanation | None


class Answered(NamedTuple):
    """What came of a question.

    Attributes:
        question, how: that it answers.
        explanation: the map and the curves; None for a question about words.
        answer: to a question for sets of regions or words.
        failure: what the detector failed with on the way; "" if it did not.
    """

    question: Question
    how: How
    explanation: Explanation | None
    answer: Answer | WordAnswer | None = None
    failure: str = ""

    @property
    def shown(self) -> Explanation | Answer | WordAnswer:
        """What is drawn and saved of it."""
        found = self.answer if self.answer is not None else self.explanation
        assert found is not None
        return found

    @property
    def sentence(self) -> str:
        """What it says, in plain English."""
        if self.answer is not None:
            text = self.answer.sentence()
            return f"{text[0].upper()}{text[1:]}."
        return ""


def answer(
    detector: Detector,
    image: OpenedImage,
    found: Sequence[Detection],
    question: Question,
    how: How,
    threshold: float,
    turn: Turn,
) -> Answered:
    """Answer a question; what is known on the way goes to `turn`, which may also end it.

    Raises:
        InputError: the question cannot be asked.
        DetectorError: the detector fails before anything is known.
        CancelledError: it was ended before anything was known.
    """
    target = question.target(found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is doubtful, results say themselves
        if question.why is Why.WORDS:
            return _words(detector, image, question, how, target, threshold)
        sets = question.why is not Why.MAP
        targets = with_rival(target, None) if sets else [target]
        problem = make_problem(
            detector, image, targets, regions=how.regions, all_prompts=sets, image_name=image.name
        )
        method = how.made()
        listener = _Listener(turn, _planned(problem, method, sets))
        budget = Budget(progress=listener.progress, cancelled=turn.cancelled)
        settings: dict[str, Any] = {
            "method": method,
            "budget": budget,
            "seed": how.seed,
            "on_update": listener.improved,
        }
        try:
            if not sets:
                return Answered(question, how, explain(problem, **settings)[0])
            told = explain_failure(problem, threshold=threshold, **settings)
            return Answered(question, how, told.explanation, told)
        except IncompleteError as error:
            partial = error.partial[0]
            if isinstance(partial, Explanation):
                return Answered(question, how, partial, failure=str(error))
            return Answered(question, how, partial.explanation, partial, str(error))


def cost_beforehand(how: How, why: Why, pass_seconds: float) -> Cost:
    """About what a question will cost; no pass is made.

    Args:
        how: with which settings.
        why: which question.
        pass_seconds: what a pass takes, as measured when the image was looked at.
    """
    problem = example_problem(how.regions)
    sets = why not in (Why.MAP, Why.WORDS)
    return cost_of(how.made(), lambda method: _planned(problem, method, sets), pass_seconds)


def _planned(problem: Problem, method: Method, sets: bool) -> int:
    planned = planned_failure_passes if sets else planned_passes
    return planned(problem, method, Budget())


def _words(
    detector: Detector,
    image: OpenedImage,
    question: Question,
    how: How,
    target: Target,
    threshold: float,
) -> Answered:
    told = explain_words(detector, image, target, threshold=threshold)
    if told is None:
        raise InputError(f"{target.label!r} is one word: ask of a phrase, as in 'red circle .'")
    return Answered(question, how, None, told)


@dataclass
class _Listener:
    """Puts together what a search tells."""

    turn: Turn
    planned: int
    heard: Heard | None = None

    def progress(self, progress: Progress) -> None:
        self._tell(progress, self.heard.so_far if self.heard else None)

    def improved(self, so_far: Explanation | list[Explanation]) -> None:
        one = so_far[0] if isinstance(so_far, list) else so_far
        last = self.heard.progress if self.heard else Progress(one.passes)
        # That it is not at its end need not be said.
        self._tell(last, dataclasses.replace(one, warnings=()))

    def _tell(self, progress: Progress, so_far: Explanation | None) -> None:
        self.heard = Heard(progress, self.planned, so_far)
        self.turn.tell(self.heard)

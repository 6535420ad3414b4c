"""What `vps.explaining.failure.explain_failure` answers: sets of regions, and a sentence."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import ClassVar

from vps.core.files import write_atomically
from vps.core.json_files import read_json_record
from vps.core.pairs import pair_paths
from vps.core.schema import read_fields
from vps.core.targets import Box, Kind, Target, with_new_names
from vps.engine.budget import StopReason
from vps.errors import InputError, OutputError, one_line, quoted
from vps.results.explanation import Explanation
from vps.results.sentences import sentence_of
from vps.results.showing import ShowsItself
from vps.results.stored import SET_NAMES, check_answer
from vps.results.word_answer import WordAnswer

_VERSION = 2


@dataclass(frozen=True)
class RegionSet:
    """A set of regions and what the detector says of the target when it is shown or hidden.

    Attributes:
        regions: ascending.
        area: the share of the image that they cover.
        hidden: whether they are hidden and the rest shown, or they are shown alone.
        score: s of the target.
        class_score, iou, box: of the candidate that attains s; zeros where there is none.
        found_score, found_iou, found_box: of the detection of the target's label with an IoU above
            0.5, as a user sees it (`vps.core.scoring.BestCandidates`); zeros where there is none.
        other_score, other_label: of the highest detection of another label with an IoU above 0.5.
        rival_score, rival_found: s of the rival, and the score of its detection; None where there
            is no rival.
        fills: whether the same set does the same under other fills, too, by their names; empty
            where that was not tried.
        inside: the share of its area that lies in the target's box, where the target is an object
            that is missed.
        exact: no set of fewer regions does the same; otherwise, only no region can be left out.
        passes: that the search for it added to those before.
    """

    regions: tuple[int, ...]
    area: float
    hidden: bool
    score: float
    class_score: float
    iou: float
    box: Box
    found_score: float
    rival_score: float | None = None
    exact: bool = False
    passes: int = 0
    found_iou: float = 0.0
    found_box: Box = (0.0, 0.0, 0.0, 0.0)
    other_score: float = 0.0
    other_label: str | None = None
    rival_found: float | None = None
    fills: dict[str, bool] = field(default_factory=dict)
    inside: float = 0.0

    def holds(self) -> bool:
        """Whether it does the same under all fills that were tried."""
        return all(self.fills.values())


@dataclass(frozen=True, repr=False)
class Answer(ShowsItself):
    """Which regions make a detection, which prevent it, and which hiding would change it.

    A set is None where there is none, or none was found, or the kind does not ask for it.

    Attributes:
        kind: of the case.
        target: what is explained; the truth, where there is a rival.
        rival: what the detector said instead, or what a duplicate duplicates.
        explanation: of the target: order, curves and map.
        rival_explanation: of the rival.
        sufficient: the smallest set that alone makes the detector find the target; where there is
            a rival, and prefer it.
        rival_sufficient: likewise for the rival.
        necessary: the smallest set without which it does not find the target.
        repair: the smallest set whose hiding makes the failure go away.
        best: for a missed target, the part of the path that is found with the highest class score.
        words: of a phrase, which of them matter, where the detector can hide words.
        before: what the detector says of the whole image, as a set without regions.
        best_score: the highest score of a detection of the target in any subset seen.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
        passes: of everything together.
        seconds: likewise, wall clock.
        stopped: FINISHED, or what ended it before its time: then a set may hold a region that is
            not needed, and those that were not searched for are None.
    """

    drawer: ClassVar[str] = "vps.report.figures.answer:draw_answer"

    kind: Kind
    target: Target
    rival: Target | None
    explanation: Explanation
    rival_explanation: Explanation | None
    before: RegionSet
    best_score: float
    threshold: float
    passes: int
    seconds: float
    stopped: StopReason = StopReason.FINISHED
    sufficient: RegionSet | None = None
    rival_sufficient: RegionSet | None = None
    necessary: RegionSet | None = None
    repair: RegionSet | None = None
    best: RegionSet | None = None
    words: WordAnswer | None = None

    def __repr__(self) -> str:
        return f"Answer({self._caption()})"

    @property
    def whole_score(self) -> float:
        """The score of the target's detection in the whole image; 0 without one."""
        return self.before.found_score

    @property
    def found_at_once(self) -> bool:
        """Whether the whole image, with nothing hidden, has the target found."""
        return self.whole_score >= self.threshold

    def sentence(self) -> str:
        """The answer in one sentence of plain English, with its numbers, without a full stop."""
        text = sentence_of(self)
        if self.words is not None:
            text += f"; of the words, {self.words.sentence()}"
        if self.stopped is StopReason.FINISHED:
            return text
        return f"{text}; the search was stopped before its end: {self.stopped}"

    def _size(self) -> tuple[int, int]:
        return self.explanation.image_size

    def _caption(self) -> str:
        return self.sentence()

    def save(self, path: str | PathLike[str]) -> Path:
        """Write <path>.npz and .json, the same of <path>_rival, and <path>_answer.json, the last.

        Returns:
            The path of the answer; where it exists, the rest is complete.

        Raises:
            OutputError: the files cannot be written.
        """
        last = _answer_path(path)
        try:
            last.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{last} cannot be written: {error.strerror}") from error
        self.explanation.save(path)
        if self.rival_explanation is not None:
            self.rival_explanation.save(_rival_path(path))
        record = {
            item.name: getattr(self, item.name)
            for item in dataclasses.fields(self)
            if not item.name.endswith("explanation")
        }
        for name in ("target", "rival", *SET_NAMES):
            record[name] = None if record[name] is None else dataclasses.asdict(record[name])
        record["words"] = self.words and self.words.record()
        record |= {"answer_version": _VERSION, "sentence": self.sentence()}
        write_atomically(last, json.dumps(record, indent=1).encode())
        return last

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Answer:
        """Read what `save` wrote; equal to what was saved.

        Raises:
            InputError: files missing, corrupt or of another version, or a value of another type or
                range than its field's.
        """
        last = _answer_path(path)
        record = read_json_record(last, "answer")
        if "answer_version" not in record:
            raise InputError(f"{last} is corrupt or no answer: answer_version is missing")
        version = record.pop("answer_version")
        if version != _VERSION:
            raise InputError(
                f"{last} has version {quoted(version)}, in which another thing was called "
                f"found; this vps reads {_VERSION}: compute the answer again"
            )
        record.pop("sentence", None)
        for name in ("target", "rival"):
            if isinstance(record.get(name), dict):
                record[name] = with_new_names(record[name])
        explanations = ("explanation", "rival_explanation")
        try:
            fields = read_fields(cls, record, given=explanations)
        except InputError as error:
            raise InputError(f"{last} is corrupt or no answer: {one_line(error)}") from error
        rival = Explanation.load(_rival_path(path)) if fields.get("rival") else None
        found = cls(explanation=Explanation.load(path), rival_explanation=rival, **fields)
        try:
            check_answer(found)
        except InputError as error:
            raise InputError(f"{last} does not hold a valid answer: {one_line(error)}") from error
        return found


def _answer_path(path: str | PathLike[str]) -> Path:
    json_path = pair_paths(path)[1]
    return json_path.with_name(f"{json_path.stem}_answer.json")


def _rival_path(path: str | PathLike[str]) -> Path:
    json_path = pair_paths(path)[1]
    return json_path.with_name(f"{json_path.stem}_rival")

"""What `vps.explaining.failure.explain_failure` answers: sets of regions, and a sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core import files as archive
from vps.core.targets import Box, Kind, Target, target_from_record
from vps.engine.budget import StopReason
from vps.errors import InputError, OutputError
from vps.results.explanation import Explanation
from vps.results.word_answer import WordAnswer

_SETS = ("sufficient", "rival_sufficient", "necessary", "repair", "best")
_VERSION = 1


@dataclass(frozen=True)
class RegionSet:
    """A set of regions and what the detector says of the target when it is shown or hidden.

    Attributes:
        regions: ascending.
        area: the share of the image that they cover.
        hidden: whether they are hidden and the rest shown, or they are shown alone.
        score: s of the target.
        class_score, iou, box: of the candidate that attains s; zeros where there is none.
        found_score: the highest class score of any candidate with IoU > 0.5; 0 without one.
        rival_score: s of the rival; None where there is none.
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


@dataclass(frozen=True)
class Answer:
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
        whole_score: the highest class score of the target, with IoU > 0.5, of the whole image.
        best_score: the same of any subset seen.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
        passes: of everything together.
        seconds: likewise, wall clock.
        stopped: FINISHED, or what ended it before its time: then a set may hold a region that is
            not needed, and those that were not searched for are None.
    """

    kind: Kind
    target: Target
    rival: Target | None
    explanation: Explanation
    rival_explanation: Explanation | None
    whole_score: float
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

    @property
    def found_at_once(self) -> bool:
        """Whether the whole image, with nothing hidden, has the target found."""
        return self.whole_score >= self.threshold

    def sentence(self) -> str:
        """The answer in one sentence of plain English, with its numbers, without a full stop."""
        text = self._text()
        if self.words is not None:
            text += f"; of the words, {self.words.sentence()}"
        if self.stopped is StopReason.FINISHED:
            return text
        return f"{text}; the search was stopped before its end: {self.stopped}"

    def _text(self) -> str:
        if self.kind.traits.rival and self.rival is not None:
            return self._contrast(self.rival)
        name, at = _the(self.target.label), f"(threshold {self.threshold:.2f})"
        score = self.whole_score
        if self.kind is Kind.MISSED:
            return self._missed(name, at)
        if not self.found_at_once:
            return f"{name} is not found here: it scores {score:.2f} {at}"
        if self.kind.traits.false_box:
            what = "second box" if self.kind is Kind.DUPLICATE else "false box"
            text = f"the {what} called {self.target.label} ({score:.2f})"
            text += self._from(" needs no more than {part}", " is there")
            if self.repair is None:
                effect = "removes it" if self.rival is None else "leaves only one box"
                return f"{text}; no part was found whose hiding {effect} {at}"
            text += f"; hide {_part(self.repair)} and"
            if self.rival is not None:
                return f"{text} only one box is left, at {self.repair.rival_score:.2f} {at}"
            return f"{text} it drops to {self.repair.found_score:.2f} {at}"
        text = f"{name} ({score:.2f}) is found" + self._from(" from {part} alone", "")
        if self.sufficient is not None:
            text += f", at {self.sufficient.found_score:.2f},"
        if self.necessary is None:
            return f"{text} and no part was found whose hiding loses it {at}"
        return f"{text} and is lost when {_part(self.necessary)} are hidden {at}"

    def _from(self, text: str, otherwise: str) -> str:
        """What is enough, said with its `{part}`; otherwise where nothing need be shown."""
        if self.sufficient is None:
            return ""
        if not self.sufficient.regions:
            return f"{otherwise} even with the whole image hidden"
        return text.format(part=_part(self.sufficient))

    def _missed(self, name: str, at: str) -> str:
        score = self.whole_score
        if self.found_at_once:
            return (
                f"{name} is found here, at {score:.2f} {at}; if it is not shown, another box "
                "or label outdoes it"
            )
        if self.repair is not None:
            return (
                f"{name} was missed because of what is hidden here: hide {_part(self.repair)} "
                f"and it is found at {self.repair.found_score:.2f} {at}"
            )
        if not self.best_score > 0:
            said = "cannot be found here" if self.stopped is StopReason.FINISHED else "was missed"
            return (
                f"{name} {said}: in none of {self.passes} passes, whatever was hidden or shown, "
                "did a box of it score above 0 with IoU > 0.5"
            )
        return (
            f"{name} was missed, and no part of the image was found whose hiding helps: it "
            f"reaches {self.best_score:.2f} at the most {at}"
        )

    def _contrast(self, rival: Target) -> str:
        name = ours = _the(self.target.label)
        theirs = _the(rival.label)
        if ours == theirs:
            name, ours, theirs = f"the true box of {name}", "the true box", "the detector's box"
        assert self.rival_explanation is not None
        scores = (self.rival_explanation.deletion[0], self.explanation.deletion[0])
        at = f"(threshold {self.threshold:.2f})"
        if scores[1] > scores[0]:
            text = f"by {scores[1]:.2f} to {scores[0]:.2f} (IoU x score)"
            if self.found_at_once:
                return f"{name} wins over {theirs} as it is, {text}"
            text = f"{name} outdoes {theirs} {text}, but no box of it is found {at}"
        else:
            text = f"{theirs} wins over {name} by {scores[0]:.2f} to {scores[1]:.2f} (IoU x score)"
            if self.rival_sufficient is not None and self.rival_sufficient.regions:
                text += f", for which {_part(self.rival_sufficient)} is enough"
        if self.repair is None:
            return (
                f"{text}; no part was found whose hiding makes {ours} win; its class score reaches "
                f"{self.best_score:.2f} at the most {at}"
            )
        won = self.repair
        return (
            f"{text}; hide {_part(won)} and {ours} wins by {won.score:.2f} to {won.rival_score:.2f}"
        )

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
        for name in ("target", "rival", *_SETS):
            record[name] = None if record[name] is None else dataclasses.asdict(record[name])
        record["words"] = self.words and self.words.record()
        record |= {"answer_version": _VERSION, "sentence": self.sentence()}
        archive.write_atomically(last, json.dumps(record, indent=1).encode())
        return last

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Answer:
        """Read what `save` wrote; equal to what was saved.

        Raises:
            InputError: files missing, corrupt or of another version.
        """
        last = _answer_path(path)
        archive.check_file(last, "answer")
        try:
            record: dict[str, Any] = json.loads(last.read_text(encoding="utf-8"))
            version = record.pop("answer_version")
            record.pop("sentence")
            record["kind"] = Kind(record["kind"])
            record["stopped"] = StopReason(record["stopped"])
            record["target"] = target_from_record(record["target"])
            record["rival"] = record["rival"] and target_from_record(record["rival"])
            record["words"] = record["words"] and WordAnswer.from_record(record["words"])
            for name in _SETS:
                if record[name] is not None:
                    given = {**record[name], "box": tuple(record[name]["box"])}
                    record[name] = RegionSet(**{**given, "regions": tuple(given["regions"])})
        except OSError as error:
            raise InputError(f"{last} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{last} is corrupt or no answer: {error}") from error
        if version != _VERSION:
            raise InputError(f"{last} has version {version}; this vps reads {_VERSION}")
        rival = Explanation.load(_rival_path(path)) if record["rival"] else None
        with contextlib.suppress(TypeError):
            return cls(explanation=Explanation.load(path), rival_explanation=rival, **record)
        raise InputError(f"{last} does not hold a valid answer")


def _the(label: str) -> str:
    """A label with its article; a phrase may have its own."""
    return label if label.lower().startswith(("the ", "a ", "an ")) else f"the {label}"


def as_percent(share: float) -> str:
    """A share in [0, 1] for people: "6 %", "0.4 %"."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def _part(found: RegionSet) -> str:
    regions = "1 region" if len(found.regions) == 1 else f"{len(found.regions)} regions"
    which = "these" if found.hidden else ""
    return f"{which} {as_percent(found.area)} of the image ({regions})".strip()


def _answer_path(path: str | PathLike[str]) -> Path:
    json_path = archive.pair_paths(path)[1]
    return json_path.with_name(f"{json_path.stem}_answer.json")


def _rival_path(path: str | PathLike[str]) -> Path:
    json_path = archive.pair_paths(path)[1]
    return json_path.with_name(f"{json_path.stem}_rival")

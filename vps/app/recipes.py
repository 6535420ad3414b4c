"""The command line and the Python lines that give what the page shows."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from vps.app.asking import Answered, Why
from vps.app.images import ChosenImage
from vps.core.detect import Detection
from vps.core.targets import Target
from vps.methods.search.vps import VPS


@dataclass(frozen=True)
class AskedOnPage:
    """All that a result came from.

    Attributes:
        image: that was looked at.
        detector: its name, as `detectors.load` takes it.
        prompt: what it was asked for; None where it takes none.
        threshold: the lowest score of a detection.
        settings: device, dtype and options of the detector that are not the usual ones.
        found: what it detected.
    """

    image: ChosenImage
    detector: str
    prompt: str | None
    threshold: float
    settings: dict[str, str]
    found: tuple[Detection, ...]


def command_line(asked: AskedOnPage, answered: Answered) -> str:
    """What to type for the same result; after the line that makes the image, if it is drawn.

    A question about words alone has no command of its own.
    """
    question, how = answered.question, answered.how
    words = ["vps", "explain", asked.image.path, "--detector", asked.detector]
    words += [] if asked.prompt is None else ["--prompt", asked.prompt]
    for name, value in asked.settings.items():
        usual = name in ("device", "dtype")
        words += [f"--{name}", value] if usual else ["--option", f"{name}={value}"]
    words += ["--threshold", f"{asked.threshold:g}"]
    if question.why is Why.MISSED:
        assert question.box is not None
        assert question.label is not None
        box = [f"{value:g}" for value in question.box]
        words += ["--missed", "--box", *box, "--label", question.label]
    else:
        assert question.number is not None
        words += ["--detection", str(question.number + 1)]
    if question.why is Why.WHY_NOT:
        words += ["--why-not", question.label or ""]
    elif question.why in (Why.FALSE_BOX, Why.SMALLEST):
        words.append(f"--{question.why.value}")
    words += ["--regions", str(how.regions), "--method", how.method]
    if how.method == VPS.name:
        words += ["--search", _search(answered), *_effort(answered)]
    words += ["--out", "out"]
    return "\n".join([*filter(None, [asked.image.shell]), shlex.join(words)])


def python_lines(asked: AskedOnPage, answered: Answered) -> str:
    """A script for the same result."""
    question, how = answered.question, answered.how
    target = question.target(asked.found)
    settings = "".join(f", {name}={value!r}" for name, value in asked.settings.items())
    prompt = "" if asked.prompt is None else f", prompt={asked.prompt!r}"
    load = f"detector = load({asked.detector!r}{prompt}{settings})"
    function = {Why.MAP: "explain", Why.WORDS: "explain_words"}.get(question.why, "explain_failure")
    given = [] if question.why is Why.MAP else [f"threshold={asked.threshold:g}"]
    if question.why is not Why.WORDS:
        given.append(f"regions={how.regions}")
        given.append(f"method={_method(answered)}")
    imports = ["Kind"] if target.kind.value != "correct" else []
    imports += ["VPS"] if how.method == VPS.name and question.why is not Why.WORDS else []
    imports += ["Target", function]
    call = ", ".join(["detector", "image", "target", *given])
    return "\n".join(
        [
            "from detectors import load",
            f"from vps import {', '.join(sorted(imports))}",
            "",
            asked.image.python,
            load,
            f"target = {_target(target)}",
            f"result = {function}({call})",
            "result.show(image)",
        ]
    )


def _search(answered: Answered) -> str:
    return answered.explanation.search if answered.explanation is not None else "auto"


def _effort(answered: Answered) -> list[str]:
    return [] if answered.how.effort == "balanced" else ["--effort", answered.how.effort]


def _method(answered: Answered) -> str:
    if answered.how.method != VPS.name:
        return repr(answered.how.method)
    effort = "" if answered.how.effort == "balanced" else f", effort={answered.how.effort!r}"
    return f"VPS(search={_search(answered)!r}{effort})"


def _target(target: Target) -> str:
    """As it is written."""
    parts = [_box(target.box), repr(target.label)]
    if target.kind.value != "correct":
        parts.append(f"Kind.{target.kind.name}")
    if target.predicted_label is not None:
        parts.append(f"predicted_label={target.predicted_label!r}")
    if target.predicted_box is not None:
        parts.append(f"predicted_box={_box(target.predicted_box)}")
    return f"Target({', '.join(parts)})"


def _box(box: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value!r}' for value in box)})"

"""A description of an ONNX file, out of what the file says and what it returns for an image."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detectors.onnx_files.beside import names_beside
from detectors.onnx_files.checks import check_names, check_task, dropping_note
from detectors.onnx_files.config import OnnxConfig, build_description
from detectors.onnx_files.contents import Contents, read_contents
from detectors.onnx_files.families import recognised
from detectors.onnx_files.outputs import OutputConfig
from detectors.onnx_files.proposal import Proposal, coco
from detectors.onnx_files.trial import Adapter, Trial, try_out
from vps.core.extras import require
from vps.core.schema import build, to_plain
from vps.errors import DetectorError, InputError, VpsError

TO_BE_SAID = "TO BE SAID"
"""Stands in a description for a value that only the user knows."""


@dataclass(frozen=True)
class Description:
    """What an ONNX file is taken for.

    Attributes:
        contents: what it says.
        family: whose exports look like this.
        content: a description as YAML has it, as far as it is known.
        notes: what was taken for granted, what is left, and what the trial showed.
        questions: what only the user can say, by key.
        most: how many labels there can be; None if that is not known either.
    """

    contents: Contents
    family: str
    content: Mapping[str, Any]
    notes: tuple[str, ...]
    questions: Mapping[str, str]
    most: int | None = None

    def config(self) -> OnnxConfig:
        """The description, checked.

        Raises:
            InputError: something is open, or a value cannot be used.
        """
        path = self.contents.path
        if self.questions:
            asked = "; ".join(f"{key}: {text}" for key, text in self.questions.items())
            if set(self.questions) == {"labels"}:
                raise InputError(
                    f"{path} does not name its classes; give their names in order: labels=[...], "
                    'or --prompt "cat . dog"'
                )
            raise InputError(
                f"{path} does not say all that is needed ({asked}); say it: vps inspect {path} "
                f"--set {next(iter(self.questions))}=VALUE --out detector.yaml, and then take "
                "onnx:detector.yaml"
            )
        return build_description(self.content)

    def yaml(self, folder: Path) -> str:
        """The text of a YAML file in this folder; what is open stands in it as comments."""
        yaml = require("yaml", extra="onnx")
        model = os.path.relpath(self.contents.path.absolute(), folder.absolute())
        content = to_plain({**self.content, "model": Path(model).as_posix()})
        for key in self.questions:
            # What is still to be said is nothing that could be read.
            section, _, name = key.rpartition(".")
            (content.setdefault(section, {}) if section else content)[name] = TO_BE_SAID
        labels = {"labels": content.pop("labels")}
        body = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=10**6)
        body += yaml.safe_dump(labels, allow_unicode=True, width=10**6)
        head = [f"# {self.family}", *(f"# {note}" for note in self.notes)]
        asked = [f"# {TO_BE_SAID}: {key}: {text}" for key, text in self.questions.items()]
        return "\n".join([*head, *asked, body])


def describe_file(
    path: Path,
    session: Any,
    adapter: Adapter,
    *,
    labels: Sequence[str] | None = None,
    given: Mapping[str, Any] | None = None,
    image: np.ndarray | None = None,
) -> Description:
    """What a file is taken for: by what it says, and then by what it returns for an image.

    Args:
        path: of the file.
        session: what `open_session` returns for it.
        adapter: makes a detector of a description and a session, for the trial.
        labels: of its classes, if it does not name them.
        given: values of the description that the user sets, by key, e.g. {"input.size": [64, 64]}.
        image: (H, W, 3) uint8 RGB for the trial; by default, a photograph of scikit-image.

    Raises:
        InputError: a file that is no detector, of a form that is not known, or labels that are not
            its own.
        DetectorError: no way to read it fits what it returns.
    """
    contents = read_contents(path, session)
    check_task(path, dict(contents.metadata))
    given = dict(given or {})
    labels = given.get("labels", labels)
    names = contents.names
    beside = names_beside(path) if labels is None and names is None else None
    if labels is None:
        labels = beside[0] if beside else names
    options = recognised(contents, len(labels) if labels else None)
    options = [one for one in options if _agrees(one, given)] or options
    if not options:
        raise InputError(
            f"{path} has outputs of a form that is not known: "
            f"{', '.join(f'{port.name} {port.shape}' for port in contents.outputs)}; write a "
            "description (detectors/README.md), or export it with the layer that makes boxes"
        )
    described = [_complete(contents, one, labels, given) for one in options]
    fitting, reasons = [], []
    for proposal, one in zip(options, described, strict=True):
        try:
            if names and labels:
                background = proposal.output.get("background", "")
                check_names(labels, names, path, str(background))
            trial = try_out(one.content, adapter, session, image, one.most)
            if proposal.sure is not None and trial.sure not in (None, proposal.sure):
                raise DetectorError(f"objectness that does not fit {proposal.family}")
            fitting.append((one, trial))
        except (InputError, DetectorError) as error:
            reasons.append(error)
    if not fitting:
        hint = f"; its labels are {len(beside[0])}, by id2label in {beside[1]}" if beside else ""
        raise type(reasons[0])(f"{reasons[0]}{hint}") if hint else reasons[0]
    chosen, trial = fitting[0]
    said = [f"its labels are those of id2label in {beside[1].name} beside it"] if beside else []
    questions = dict(chosen.questions)
    if len(fitting) > 1:
        key, text = _choice([one for one, _ in fitting])
        questions[key] = text
    return dataclasses.replace(
        chosen, notes=(*said, *chosen.notes, *_trial_notes(chosen, trial)), questions=questions
    )


def _agrees(proposal: Proposal, given: Mapping[str, Any]) -> bool:
    """Whether a proposal has the values that the user sets where it says any."""
    said = {f"output.{key}": value for key, value in proposal.output.items()}
    return all(said.get(key, given[key]) == given[key] for key in given)


def _choice(fitting: Sequence[Description]) -> tuple[str, str]:
    """The key in which several ways to read a file differ, and what there is to choose."""
    tables = [
        {
            f"{part}.{key}": value
            for part in ("output", "input")
            for key, value in one.content[part].items()
        }
        for one in fitting
    ]
    key = next(
        key for key in {**tables[0], **tables[1]} if tables[0].get(key) != tables[1].get(key)
    )
    options = " or ".join(
        f"{table.get(key, 'left out')} ({one.family})"
        for table, one in zip(tables, fitting, strict=True)
    )
    return key, f"{options}; an image with objects may tell (--image)"


def other_reading(config: OnnxConfig, session: Any) -> str:
    """Which outputs a file with these shapes is known to have, if it is not those described."""
    try:
        options = recognised(read_contents(config.model, session), len(config.labels))
    except VpsError:
        return ""
    found = [one for one in options if not _is_described(one, config)]
    texts = [f"{one.family} (output: {flow(one.output)})" for one in found]
    return f"; its shapes are those of {' or '.join(texts)}" if texts else ""


def _is_described(proposal: Proposal, config: OnnxConfig) -> bool:
    try:
        return bool(build(OutputConfig, proposal.output) == config.output)
    except InputError:  # Something of it is left to be said by the user.
        return proposal.output["head"] == config.output.head


def flow(content: Mapping[str, Any]) -> str:
    """A part of a description in one line of YAML."""
    yaml = require("yaml", extra="onnx")
    text: str = yaml.safe_dump(dict(content), default_flow_style=True, sort_keys=False, width=10**6)
    return text.strip()


def _complete(
    contents: Contents,
    proposal: Proposal,
    labels: Sequence[str] | None,
    given: Mapping[str, Any],
) -> Description:
    """A proposal with size, labels and the user's own values."""
    notes, questions = list(proposal.notes), dict(proposal.questions)
    taken: dict[str, Any] = {**proposal.input}
    size = contents.size or proposal.size
    if size:
        taken["size"] = list(size)
    else:
        questions["input.size"] = "height and width of the input, which the file leaves open"
    if contents.size is None and size:
        notes.append(f"the file leaves its size open; {size[0]} x {size[1]} is usual")
    if contents.nhwc:
        taken["layout"] = "nhwc"
    if contents.image.type == "tensor(uint8)":
        taken = {k: v for k, v in taken.items() if k not in ("mean", "std")} | {"scale": 255}
        questions = {k: v for k, v in questions.items() if k not in _NUMBERS}
        notes.append("it takes bytes: pixels from 0 to 255")
    known, note = _labels(contents, proposal, labels)
    if note:
        notes.append(note)
    if known is None:
        questions["labels"] = "the names of its classes, in order, which the file does not have"
    content: dict[str, Any] = {
        "name": contents.path.stem,
        "model": str(contents.path),
        "input": taken,
        "output": dict(proposal.output),
        **({"labels": list(known)} if known else {}),
    }
    for key, value in given.items():
        section, _, name = key.rpartition(".")
        target = content.setdefault(section, {}) if section else content
        target[name] = value
        questions.pop(key, None)
    notes.append(_image_note(content["input"]))
    return Description(contents, proposal.family, content, tuple(notes), questions, proposal.most)


_NUMBERS = ("input.mean", "input.std", "input.scale")


def _labels(
    contents: Contents, proposal: Proposal, labels: Sequence[str] | None
) -> tuple[Sequence[str] | None, str]:
    """The labels, and where they are from if that is not said by the file or the user."""
    if labels:
        return labels, ""
    if proposal.classes is None:
        return None, ""
    named = proposal.named or (coco(80) if proposal.classes == 80 else None)
    if named:
        return named, f"the file names no classes; it has {len(named)}, taken to be those of COCO"
    numbered = [f"class {number}" for number in range(proposal.classes)]
    return numbered, f"the file names no classes; its {len(numbered)} are called by their numbers"


def _trial_notes(chosen: Description, trial: Trial) -> list[str]:
    """What the trial showed, and what the file's own reduction costs."""
    notes = []
    if trial.best < 0.05:
        notes.append("on the trial image nothing scores 0.05, so that boxes could not be checked")
    else:
        label = f" ({trial.label})" if "labels" in chosen.content else ""
        notes.append(
            f"on the trial image {trial.found} boxes score 0.3 or more, the best "
            f"{trial.best:.2f}{label}"
        )
    if not chosen.questions:
        cost = dropping_note(chosen.config(), chosen.contents.reduced)
        notes += [cost] if cost else []
    return notes


def _image_note(given: Mapping[str, Any]) -> str:
    """How images are fed, in a sentence."""
    placed = {
        "stretch": "stretched to the input",
        "centre": "in the middle, the rest grey",
        "corner": "in the upper left corner, the rest filled",
        "free": "resized with their aspect ratio kept",
    }.get(given.get("placement", ""), "placed as is still to be said")
    scale = given.get("scale")
    numbers = f"0 to {scale:g}" if isinstance(scale, (int, float)) else "an open range"
    means = ", less mean and std" if "mean" in given else ""
    channels = str(given.get("channels", "rgb")).upper()
    return f"images go in {channels}, {numbers}{means}, {placed}"

"""`vps inspect`: what an ONNX file says of itself, and the description that follows from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vps.cli.inputs import parse_pairs
from vps.cli.options import PromptOption
from vps.errors import InputError


def inspect_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="an ONNX file")],
    prompt: PromptOption = None,
    image: Annotated[
        Path | None,
        typer.Option(
            "--image",
            metavar="FILE",
            help="an image with objects that it knows, on which the description is tried",
        ),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="a value of the description, e.g. input.scale=255; may be repeated",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.yaml", help="where to write it")
    ] = None,
) -> int:
    """Print what an ONNX file says, what it is taken for, and a description of it."""
    from detectors.onnx_files.description import describe_file
    from detectors.onnx_files.detector import OnnxDetector
    from detectors.onnx_files.session import open_session
    from detectors.shared.prompts import parse_prompt
    from vps.core.images import read_image

    values = _values(given or ())
    if out is not None and out.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(f"--out writes a description, FILE.yaml; got {out}")
    described = describe_file(
        model,
        open_session(model),
        OnnxDetector,
        labels=None if prompt is None else parse_prompt(prompt),
        given=values,
        image=None if image is None else read_image(image),
    )
    print(f"{model} says:")
    for line in described.contents.summary():
        print(f"  {line}")
    print(f"taken for: {described.family}")
    for note in described.notes:
        print(f"  {note}")
    for key, text in described.questions.items():
        print(f"to be said: {key}: {text}")
    text = described.yaml(Path() if out is None else out.parent)
    print(f"\n{text}", end="")
    if not described.questions:
        described.config()
    if out is not None:
        _write(out, text)
        print(f"\nwritten: {out}", end="")
        print("" if described.questions else f"; use it as onnx:{out}")
    if described.questions:
        print(f"note: say {', '.join(described.questions)} with --set", file=sys.stderr)
    return int(bool(described.questions))


def _values(texts: Any) -> dict[str, Any]:
    """Values by key, as YAML reads them."""
    from vps.core.extras import require

    yaml = require("yaml", extra="onnx")
    values = {}
    for key, text in parse_pairs(texts, "--set").items():
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InputError(f"--set {key}: {text!r} is no value of YAML") from None
    return values


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None

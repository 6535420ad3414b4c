"""The YAML description of an ONNX detector, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from vps.errors import InputError
from vps.extras import require
from vps.names import choose

CHANNELS = ("rgb", "bgr")
HEADS = ("yolox",)


@dataclass(frozen=True)
class InputConfig:
    """What the model is given.

    Attributes:
        size: (height, width) in pixels. Images are shrunk or enlarged to fit, with their aspect
            ratio kept, and put into the upper left corner.
        channels: their order, "rgb" or "bgr".
        scale: what white is; pixels run from 0 to this.
        padding: what fills the rest, on that scale.
    """

    size: tuple[int, int]
    channels: str = "rgb"
    scale: float = 255.0
    padding: float = 114.0


@dataclass(frozen=True)
class OutputConfig:
    """What the model returns.

    Attributes:
        head: how to read it; "yolox": (1, cells, 5 + L), for each cell of the grids of all strides
            in turn, row by row, x y w h, objectness and L class scores, both in [0, 1].
        strides: in pixels of the input.
    """

    head: str
    strides: tuple[int, ...]


@dataclass(frozen=True)
class OnnxConfig:
    """A detector in an ONNX file.

    Attributes:
        name: what reports call the detector.
        model: the ONNX file; a relative path starts at the YAML file's folder.
        labels: the class names, in the order of the model's scores.
        input: see `InputConfig`.
        output: see `OutputConfig`.
    """

    name: str
    model: Path
    labels: tuple[str, ...]
    input: InputConfig
    output: OutputConfig


def read_config(path: Path) -> OnnxConfig:
    """Read a description from a YAML file.

    Raises:
        InputError: the file is missing or no YAML, a key is unknown or missing, or a value cannot
            be used; the message names file and key.
    """
    yaml = require("yaml", extra="onnx")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"detector description {path} cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    top = _section(content, OnnxConfig, str(path))
    given = _section(top["input"], InputConfig, f"{path}: input")
    returned = _section(top["output"], OutputConfig, f"{path}: output")
    labels = top["labels"]
    if not isinstance(labels, list) or not labels or len(set(map(str, labels))) != len(labels):
        raise InputError(f"{path}: labels must be a list of different names")
    return OnnxConfig(
        name=str(top["name"]),
        model=path.parent / str(top["model"]),
        labels=tuple(str(label) for label in labels),
        input=InputConfig(
            size=_integers(given["size"], f"{path}: input.size", 2),
            channels=_one_of(CHANNELS, given["channels"], f"{path}: input.channels"),
            scale=_number(given["scale"], f"{path}: input.scale"),
            padding=_number(given["padding"], f"{path}: input.padding"),
        ),
        output=OutputConfig(
            head=_one_of(HEADS, returned["head"], f"{path}: output.head"),
            strides=_integers(returned["strides"], f"{path}: output.strides"),
        ),
    )


def _section(content: Any, kind: type, where: str) -> dict[str, Any]:
    """A mapping with exactly the fields of a data class; those with defaults may be left out."""
    if not isinstance(content, Mapping):
        raise InputError(f"{where} must be a mapping with the keys {_names(kind)}")
    values = {entry.name: entry.default for entry in fields(kind)}
    for key in content:
        choose(values, key, f"key in {where},")
    values.update(content)
    missing = [key for key, value in values.items() if value is MISSING]
    if missing:
        raise InputError(f"{where} lacks the key {missing[0]!r}; it needs {_names(kind)}")
    return values


def _names(kind: type) -> str:
    return ", ".join(entry.name for entry in fields(kind))


def _integers(value: Any, where: str, count: int | None = None) -> Any:
    right = isinstance(value, list) and value and count in (None, len(value))
    if not right or not all(type(number) is int and number > 0 for number in value):
        raise InputError(f"{where} must be a list of {count or 'some'} positive integers: {value}")
    return tuple(value)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise InputError(f"{where} must be a number, 0 or more; got {value!r}")
    return float(value)


def _one_of(choices: tuple[str, ...], value: Any, where: str) -> str:
    choose(dict.fromkeys(choices), str(value), f"value of {where},")
    return str(value)

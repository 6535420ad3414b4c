"""The kinds of detectors, with what each needs and how it is used: as values, and as a text."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.registry import DETECTORS, DetectorEntry
from detectors.shared.options import COMMON
from vps.core.extras import install_command


@dataclass(frozen=True)
class DetectorOption:
    """An option of a kind of detector, a keyword argument of `detectors.load`.

    Attributes:
        name: of the option.
        type: as its loader annotates it, e.g. "int | None".
        default: what holds where it is not given.
    """

    name: str
    type: str
    default: Any


@dataclass(frozen=True)
class AvailableDetector:
    """A kind of detector, and whether it can be used here.

    Attributes:
        kind: what its names begin with, e.g. "onnx".
        about: what it runs, in a few words.
        form: of a name for `detectors.load`, e.g. "onnx:FILE.yaml|FOLDER"; "|" stands between
            choices.
        prompted: whether it is told what to look for; others have labels of their own.
        options: what only this kind knows.
        extra: the extra of this project that installs what it needs; "" if the core does.
        installed: the distributions that it needs and that are there, e.g. "onnxruntime 1.20.0".
        missing: the modules that it needs and that are not.
        example: what to write after `vps detect street.jpg --detector`.
    """

    kind: str
    about: str
    form: str
    prompted: bool
    options: tuple[DetectorOption, ...]
    extra: str
    installed: tuple[str, ...]
    missing: tuple[str, ...]
    example: str

    @property
    def usable(self) -> bool:
        """Whether all that it needs is installed."""
        return not self.missing


def available() -> tuple[AvailableDetector, ...]:
    """All kinds of detectors, with what `vps detectors` prints; imports none of their libraries.

    >>> import detectors
    >>> kinds = {found.kind: found for found in detectors.available()}
    >>> kinds["mmdet"].form
    'mmdet:CONFIG.py'
    >>> first, *_ = kinds["onnx"].options
    >>> first.name, first.type, first.default
    ('threads', 'int', 1)
    >>> kinds["torchvision"].usable, kinds["torchvision"].prompted
    (True, False)
    """
    distributions = importlib.metadata.packages_distributions()
    return tuple(_described(kind, entry, distributions) for kind, entry in DETECTORS.items())


def list_detectors() -> str:
    """Each kind with what it runs, what it needs and whether that is installed, and an example."""
    return "\n\n".join(
        f"{found.kind}: {found.about}\n"
        f"    {_state(found)}\n"
        f"    vps detect street.jpg --detector {found.example}"
        for found in available()
    )


def _state(found: AvailableDetector) -> str:
    if found.usable:
        return f"installed: {', '.join(found.installed)}"
    return f"not installed: {', '.join(found.missing)}; {install_command(found.extra)}"


def _described(
    kind: str, entry: DetectorEntry, distributions: Mapping[str, list[str]]
) -> AvailableDetector:
    # torch and what else the core brings are always there.
    missing = [module for module in entry.needs if importlib.util.find_spec(module) is None]
    installed = [
        f"{name} {importlib.metadata.version(name)}"
        for module in entry.needs
        for name in distributions.get(module, [])[:1]
    ]
    return AvailableDetector(
        kind=kind,
        about=entry.about,
        form=f"{kind}:{entry.source}" if entry.source else kind,
        prompted=entry.prompted,
        options=tuple(_options(entry.loader)),
        extra=entry.extra,
        installed=tuple(installed),
        missing=tuple(missing),
        example=entry.example,
    )


def _options(loader: str) -> Iterator[DetectorOption]:
    """The options of a loader, "module:function", by its text: its library may be missing."""
    module, _, function = loader.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for given, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
                if given.arg not in COMMON and given.annotation and default:
                    kind, value = ast.unparse(given.annotation), ast.literal_eval(default)
                    yield DetectorOption(given.arg, kind, value)

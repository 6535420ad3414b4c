"""ONNX detectors by name: from a description, or from the file alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detectors.onnx_files.checks import cost_of
from detectors.onnx_files.config import OnnxConfig, read_description
from detectors.onnx_files.contents import read_contents
from detectors.onnx_files.description import describe, flow
from detectors.onnx_files.detector import OnnxDetector, open_session
from detectors.onnx_files.families import recognised
from detectors.onnx_files.outputs import OutputConfig
from vps.core.schema import build
from vps.errors import AssumptionWarning, InputError, VpsError


def load_onnx(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    threads: int = 1,
) -> OnnxDetector:
    """An ONNX detector from its file, from a YAML description, or from a folder with a
    detector.yaml.

    What a file alone is taken for is warned of, so that it can be read; `vps inspect` prints it.

    Raises:
        InputError: labels, a device or a dtype that an ONNX file cannot take, or whatever is wrong
            with description or model.
    """
    path = Path(source).expanduser()
    alone = path.suffix.lower() in (".onnx", ".ort") and not path.is_dir()
    if labels is not None and not alone:
        raise InputError("an ONNX detector has the labels of its description; give it no others")
    if (device, dtype) != ("cpu", "float32"):
        raise InputError(f"ONNX detectors run on cpu in float32, not on {device} in {dtype}")
    if not source:
        raise InputError("onnx needs a description: onnx:FILE.onnx, onnx:FILE.yaml or onnx:FOLDER")
    if alone:
        session = open_session(path, threads)
        described = describe(path, session, labels=labels)
        detector = OnnxDetector(described.config(), session)
        notes = [f"{path.name} is taken for {described.family}", *described.notes]
    else:
        config = read_description(path / "detector.yaml" if path.is_dir() else path)
        detector = _fitted(config, threads)
        cost = cost_of(config, "")
        notes = [cost] if cost else []
    if notes:
        warnings.warn("; ".join(notes), AssumptionWarning, stacklevel=3)
    return detector


def _fitted(config: OnnxConfig, threads: int) -> OnnxDetector:
    """The detector of a description; where it does not fit, the error says what would."""
    session = open_session(config.model, threads)
    try:
        return OnnxDetector(config, session)
    except InputError as error:
        raise InputError(f"{error}{_better(config, session)}") from None


def _better(config: OnnxConfig, session: Any) -> str:
    """Which outputs a file with these shapes is known to have, if it is not those described."""
    try:
        options = recognised(read_contents(config.model, session), len(config.labels))
    except VpsError:
        return ""
    found = [one for one in options if build(OutputConfig, one.output) != config.output]
    texts = [f"{one.family} (output: {flow(one.output)})" for one in found]
    return f"; its shapes are those of {' or '.join(texts)}" if texts else ""

"""Detectors in ONNX files by the name of a file, a description or a folder."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from detectors.onnx_files.checks import dropping_note
from detectors.onnx_files.config import OnnxConfig, read_description
from detectors.onnx_files.description import describe_file, other_reading
from detectors.onnx_files.detector import OnnxDetector
from detectors.onnx_files.session import open_session
from vps.errors import AssumptionWarning, InputError


def load_onnx(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    threads: int = 1,
    backend: Literal["onnxruntime", "torch"] = "onnxruntime",
    layers: tuple[str, ...] = (),
) -> OnnxDetector:
    """An ONNX detector from its file, from a YAML description, or from a folder with a
    detector.yaml.

    What a file alone is taken for is warned of, so that it can be read; `vps inspect` prints it.

    Args:
        source: as above.
        labels: of a file alone that does not name its classes.
        device: "cpu".
        dtype: "float32".
        threads: of onnxruntime.
        backend: "onnxruntime", or "torch" for methods that need gradients: the file is converted by
            onnx2torch, and compared with onnxruntime when it is loaded.
        layers: with "torch", the names of values in the file that class activation maps look at; by
            default, what its last convolutions look at.

    Raises:
        InputError: labels, a device or a dtype that an ONNX file cannot take, or whatever is wrong
            with description or model; with "torch", see
            `detectors.onnx_files.torch_backend.TorchOnnxDetector`.
        MissingExtraError: with "torch", onnx2torch is not installed.
    """
    path = Path(source).expanduser()
    alone = path.suffix.lower() in (".onnx", ".ort") and not path.is_dir()
    if labels is not None and not alone:
        raise InputError("an ONNX detector has the labels of its description; give it no others")
    if (device, dtype) != ("cpu", "float32"):
        raise InputError(f"ONNX detectors run on cpu in float32, not on {device} in {dtype}")
    if not source:
        raise InputError("onnx needs a description: onnx:FILE.onnx, onnx:FILE.yaml or onnx:FOLDER")
    if layers and backend != "torch":
        raise InputError("layers are those of backend=torch; onnxruntime shows none")
    if alone:
        session = open_session(path, threads)
        described = describe_file(path, session, OnnxDetector, labels=labels)
        config = described.config()
        detector = OnnxDetector(config, session)
        notes = [f"{path.name} is taken for {described.family}", *described.notes]
    else:
        config = read_description(path / "detector.yaml" if path.is_dir() else path)
        session = open_session(config.model, threads)
        detector = _fitted(config, session)
        cost = dropping_note(config, "")
        notes = [cost] if cost else []
    if notes:
        warnings.warn("; ".join(notes), AssumptionWarning, stacklevel=3)
    if backend == "torch":
        from detectors.onnx_files.torch_backend import TorchOnnxDetector

        return TorchOnnxDetector(config, session, layers)
    return detector


def _fitted(config: OnnxConfig, session: Any) -> OnnxDetector:
    """The detector of a description; where it does not fit, the error says what would."""
    try:
        return OnnxDetector(config, session)
    except InputError as error:
        raise InputError(f"{error}{other_reading(config, session)}") from None

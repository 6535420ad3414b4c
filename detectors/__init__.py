"""Detectors by name.

A detector's name is a kind of `DETECTORS`, with what to load after a colon where the kind needs it:

    demo-grounding-dino                                      comes with this package
    hf-grounding-dino:IDEA-Research/grounding-dino-tiny      a checkpoint of the Hugging Face hub
    hf-grounding-dino:./folder                               a folder with a checkpoint
    onnx:configs/yolox_nano.yaml                             a description of an ONNX file

`vps detectors` lists all kinds with an example. A callable becomes a detector with
`detectors.function.FunctionDetector`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from detectors.prompts import parse_prompt
from vps.detector import Detector
from vps.errors import InputError
from vps.names import choose


@dataclass(frozen=True)
class Entry:
    """A kind of detector.

    Attributes:
        loader: "module:function", imported when it is used: each brings a library of its own.
        about: what it runs, in a few words.
        needs: the modules that must be installed.
        extra: the extra of this project that installs them; "" if the core needs no more.
        example: what to write after `vps detect street.jpg --detector`.
    """

    loader: str
    about: str
    needs: tuple[str, ...]
    extra: str
    example: str


DETECTORS = {
    "demo-grounding-dino": Entry(
        "detectors.hf_grounding_dino:load_demo",
        "a small Grounding DINO for drawn scenes that comes with this package",
        ("transformers", "safetensors"),
        "hf",
        'demo-grounding-dino --prompt "circle . wheel ."',
    ),
    "hf-grounding-dino": Entry(
        "detectors.hf_grounding_dino:load_checkpoint",
        "Grounding DINO and MM-Grounding-DINO of transformers",
        ("transformers", "safetensors"),
        "hf",
        'hf-grounding-dino:IDEA-Research/grounding-dino-tiny --prompt "dog . cat ."',
    ),
    "onnx": Entry(
        "detectors.onnx_model:load_onnx",
        "ONNX files, described by a few lines of YAML",
        ("onnxruntime", "yaml"),
        "onnx",
        "onnx:configs/yolox_nano.yaml",
    ),
}


def load(
    name: str,
    *,
    labels: Sequence[str] | None = None,
    prompt: str | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    **options: Any,
) -> Detector:
    """Load a detector by name.

    Args:
        name: a kind of `DETECTORS`, with ":what to load" where it needs that; see above.
        labels: what to look for; an open-vocabulary detector needs it, others bring their own.
        prompt: the same as one text, "dog . cat ."; give one of the two.
        device: "cpu", "cuda" or "cuda:N".
        dtype: "float32", "bfloat16" or "float16", in which the model computes.
        options: what the kind's own function takes beyond these, e.g. `threads` for onnx.

    Raises:
        InputError: unknown name or option, labels missing or given twice, or whatever the detector
            cannot load.
        MissingExtraError: the library that runs the detector is not installed.
    """
    kind, _, source = name.partition(":")
    module, function = choose(DETECTORS, kind, "detector").loader.split(":")
    if labels is not None and prompt is not None:
        raise InputError("give the labels of a detector as labels or as a prompt, not as both")
    if prompt is not None:
        labels = parse_prompt(prompt)
    loader = getattr(importlib.import_module(module), function)
    known = [key for key in inspect.signature(loader).parameters if key != "source"]
    for option in options:
        choose(dict.fromkeys(known), option, f"option of {kind}")
    detector: Detector = loader(source, labels=labels, device=device, dtype=dtype, **options)
    return detector

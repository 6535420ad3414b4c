"""Detectors by name.

A detector's name is a kind of `DETECTORS`, with what to load after a colon where the kind needs it

    demo-grounding-dino                                      comes with this package
    hf-grounding-dino:IDEA-Research/grounding-dino-tiny      a checkpoint of the Hugging Face hub
    hf-grounding-dino:./folder                               a folder with a checkpoint
    onnx:model.onnx                                          an ONNX file
    onnx:configs/yolox_nano.yaml                             a description of one

or a function of one's own that gives a detector, or a model:

    my_module:build                                          in the working directory
    models/mine.py:build

`vps detectors` lists all kinds with an example, and `available` gives the same in Python. `wrap`
makes a detector of a model in memory, or of a function that detects in an image.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from detectors.listing import AvailableDetector, DetectorOption, available
from detectors.names import is_own
from detectors.registry import DETECTORS, DetectorEntry, find_entry
from detectors.shared.options import describe, fit_options
from detectors.shared.prompts import parse_prompt
from detectors.wrapping import wrap
from vps.core.detector import Detector
from vps.errors import InputError

__all__ = [
    "DETECTORS",
    "AvailableDetector",
    "DetectorEntry",
    "DetectorOption",
    "available",
    "find_entry",
    "load",
    "load_for",
    "wrap",
]


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
        name: a kind of `DETECTORS`, with ":what to load" where it needs that, or a function of
            one's own; see above.
        labels: what to look for; an open-vocabulary detector needs it, others bring their own.
        prompt: the same as one text, "dog . cat ."; give one of the two.
        device: "cpu", "cuda", "cuda:N" or "mps".
        dtype: "float32", "bfloat16" or "float16", in which the model computes.
        options: what the kind's own function takes beyond these, e.g. `threads` for onnx; they
            become part of the detector's name. Text is read as a number where one is wanted.

    Raises:
        InputError: unknown name or option, labels missing or given twice, or whatever the detector
            cannot load.
        MissingExtraError: the library that runs the detector is not installed.
    """
    kind, _, source = name.partition(":")
    if labels is not None and prompt is not None:
        raise InputError("give the labels of a detector as labels or as a prompt, not as both")
    if prompt is not None:
        labels = parse_prompt(prompt)
    if kind not in DETECTORS and is_own(name):
        return _own(name, labels=labels, device=device, dtype=dtype, **options)
    module, function = find_entry(name).loader.split(":")
    loader = getattr(importlib.import_module(module), function)
    options = fit_options(loader, options, kind)
    detector: Detector = loader(source, labels=labels, device=device, dtype=dtype, **options)
    if options:
        # Results tell apart what was loaded in different ways.
        detector.name = f"{detector.name} ({describe(options)})"
    return detector


def load_for(
    name: str, usual: Sequence[str], *, labels: Sequence[str] | None = None, **settings: Any
) -> Detector:
    """A detector by name, asked for the labels of a data set unless it brings its own.

    Args:
        name: as for `load`.
        usual: the labels of the data set.
        labels: what the user wants instead; of a closed set, the names of its classes.
        settings: device, dtype and options, as for `load`.

    Raises:
        InputError, MissingExtraError: as for `load`.
    """
    if name.partition(":")[0] not in DETECTORS and is_own(name):
        return _own(name, labels=labels, usual=usual, **settings)
    if labels is None and find_entry(name).prompted:
        labels = usual
    return load(name, labels=labels, **settings)


def _own(name: str, **settings: Any) -> Detector:
    from detectors.own import load_own

    return load_own(name, kinds=DETECTORS, **settings)

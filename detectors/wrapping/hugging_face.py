"""Models and pipelines of transformers, in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from detectors.hf.checkpoint import MODEL_TYPES, loading
from detectors.wrapping.modes import evaluated
from vps.core.detector import Detector
from vps.errors import InputError, LabelsError


def of_pipeline(
    pipeline: Any,
    *,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    template: str | None = None,
) -> Detector:
    """A pipeline for object detection or zero-shot object detection; see `detectors.wrap`."""
    parts = [part for part in (pipeline.image_processor, pipeline.tokenizer) if part is not None]
    return of_model(pipeline.model, *parts, labels=labels, name=name, template=template)


def of_model(
    model: Any,
    *parts: Any,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    template: str | None = None,
) -> Detector:
    """A model with its processor, or with image processor and tokenizer; see `detectors.wrap`.

    Args:
        model: of a type in `detectors.hf.checkpoint.MODEL_TYPES`.
        parts: its processor, or image processor and tokenizer. Images are resized by the
            processor's variant that works with Pillow.
        labels: what to look for; of a closed set, the names of its classes instead of its own.
        name: what reports call the detector.
        template: of OWL and OmDet-Turbo, see `detectors.hf.zero_shot.HFZeroShot`.

    Raises:
        InputError: a model of another type, parts that are missing, or labels that do not fit.
    """
    found = model.config.model_type
    kind = next((kind for kind, types in MODEL_TYPES.items() if found in types), None)
    if kind is None:
        raise InputError(
            f"a {type(model).__name__} is no detector that is known; wrap a function that calls it"
        )
    if not parts:
        raise InputError(f"a {type(model).__name__} needs its processor: wrap(model, processor)")
    if kind != "hf-closed-set" and labels is None:
        raise LabelsError(
            f"a {type(model).__name__} finds what it is asked for; say what by labels"
        )
    if template is not None and kind != "hf-zero-shot":
        raise InputError(f"a {type(model).__name__} reads its labels without a template")
    called = name or f"{type(model).__name__}"
    model = evaluated(model)
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            part.save_pretrained(folder)
        with loading(called):
            return _MAKERS[kind](model, folder, labels, called, template)


def _closed_set(model: Any, folder: str, labels: Any, name: str, _: Any) -> Detector:
    from detectors.hf.closed_set import HFClosedSet
    from detectors.hf.images import read_processor

    processor = read_processor(folder)
    return HFClosedSet(model, processor, name=name, dtype=model.dtype, labels=labels)


def _zero_shot(model: Any, folder: str, labels: Any, name: str, template: Any) -> Detector:
    from detectors.hf.checkpoint import read_tokenizer
    from detectors.hf.images import read_processor
    from detectors.hf.zero_shot import HFZeroShot, ZeroShotCheckpoint

    parts = read_tokenizer(folder), read_processor(folder)
    checkpoint = ZeroShotCheckpoint(model, *parts, model.dtype)
    return HFZeroShot(checkpoint, labels, name=name, template=template)


def _grounding_dino(model: Any, folder: str, labels: Any, name: str, _: Any) -> Detector:
    from detectors.grounding_dino.hf import HFGroundingDino
    from detectors.grounding_dino.hf_checkpoint import as_checkpoint
    from detectors.shared.watch import share

    # Its text is read by a stand-in, which the user's model is not to get.
    twin = share(model)
    twin.model = share(model.model)
    checkpoint = as_checkpoint(name, twin, folder, model.device, model.dtype)
    return HFGroundingDino(checkpoint, labels, name=name)


def _florence2(model: Any, folder: str, labels: Any, name: str, _: Any) -> Detector:
    from detectors.florence2.checkpoint import as_florence2
    from detectors.florence2.detector import florence2_maker

    return florence2_maker(labels)(as_florence2(name, model, folder), name)


_MAKERS = {
    "hf-closed-set": _closed_set,
    "hf-zero-shot": _zero_shot,
    "hf-grounding-dino": _grounding_dino,
    "hf-florence-2": _florence2,
}

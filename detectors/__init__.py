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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from detectors.shared.options import describe, fit_options
from detectors.shared.prompts import parse_prompt
from vps.core.detector import Detector
from vps.core.names import choose
from vps.errors import InputError


@dataclass(frozen=True)
class DetectorEntry:
    """A kind of detector.

    Attributes:
        loader: "module:function", imported when it is used: each brings a library of its own.
        about: what it runs, in a few words.
        needs: the modules that must be installed.
        extra: the extra of this project that installs them; "" if the core needs no more.
        example: what to write after `vps detect street.jpg --detector`.
        prompted: whether the user says what to look for; others have labels of their own.
    """

    loader: str
    about: str
    needs: tuple[str, ...]
    extra: str
    example: str
    prompted: bool = False


DETECTORS = {
    "demo-florence-2": DetectorEntry(
        "detectors.florence2.detector:load_demo_florence2",
        "a small Florence-2 for drawn scenes that comes with this package",
        ("transformers", "safetensors"),
        "hf",
        'demo-florence-2 --prompt "circle . wheel ."',
        prompted=True,
    ),
    "demo-grounding-dino": DetectorEntry(
        "detectors.grounding_dino.hf:load_demo_grounding_dino",
        "a small Grounding DINO for drawn scenes that comes with this package",
        ("transformers", "safetensors"),
        "hf",
        'demo-grounding-dino --prompt "circle . wheel ."',
        prompted=True,
    ),
    "groundingdino": DetectorEntry(
        "detectors.grounding_dino.original:load_original",
        "Grounding DINO of its authors' package (SwinT, SwinB): config and checkpoint",
        ("groundingdino", "transformers", "safetensors"),
        "groundingdino",
        'groundingdino:swint --option weights=groundingdino_swint_ogc.pth --prompt "dog . cat ."',
        prompted=True,
    ),
    "hf-closed-set": DetectorEntry(
        "detectors.hf.closed_set:load_closed_set",
        "DETR, Deformable DETR, RT-DETR, D-FINE, YOLOS ... of transformers",
        ("transformers", "safetensors"),
        "hf",
        "hf-closed-set:PekingU/rtdetr_r50vd",
    ),
    "hf-florence-2": DetectorEntry(
        "detectors.florence2.detector:load_florence2",
        "Florence-2 of transformers: open vocabulary, phrase grounding, object detection",
        ("transformers", "safetensors"),
        "hf",
        "hf-florence-2:florence-community/Florence-2-base --option scoring=likelihood "
        '--prompt "dog . cat ."',
        prompted=True,
    ),
    "hf-grounding-dino": DetectorEntry(
        "detectors.grounding_dino.hf:load_grounding_dino",
        "Grounding DINO and MM-Grounding-DINO of transformers",
        ("transformers", "safetensors"),
        "hf",
        'hf-grounding-dino:IDEA-Research/grounding-dino-tiny --prompt "dog . cat ."',
        prompted=True,
    ),
    "hf-zero-shot": DetectorEntry(
        "detectors.hf.zero_shot:load_zero_shot",
        "OWL-ViT, OWLv2 and OmDet-Turbo of transformers",
        ("transformers", "safetensors"),
        "hf",
        'hf-zero-shot:google/owlv2-base-patch16-ensemble --prompt "dog . cat ."',
        prompted=True,
    ),
    "mmdet": DetectorEntry(
        "detectors.mmdet3.detector:load_mmdet",
        "any config and checkpoint of mmdet 3: R-CNN, RetinaNet, FCOS, RTMDet, DETR, DINO ...",
        ("mmdet", "mmcv", "mmengine"),
        "mmdet",
        "mmdet:rtmdet_tiny_8xb32-300e_coco.py --option weights=rtmdet_tiny.pth",
    ),
    "onnx": DetectorEntry(
        "detectors.onnx_files.detector:load_onnx",
        "ONNX files, described by a few lines of YAML",
        ("onnxruntime", "yaml"),
        "onnx",
        "onnx:configs/yolox_nano.yaml",
    ),
    "torchvision": DetectorEntry(
        "detectors.torchvision_models.detector:load_torchvision",
        "Faster, Mask and Keypoint R-CNN, RetinaNet, FCOS, SSD and SSDlite of torchvision",
        ("torchvision",),
        "",
        "torchvision:fasterrcnn_resnet50_fpn_v2",
    ),
}


def find_entry(name: str) -> DetectorEntry:
    """The entry of a detector's kind; `name` is as for `load`.

    Raises:
        InputError: there is no such kind.
    """
    return choose(DETECTORS, name.partition(":")[0], "detector")


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
        options: what the kind's own function takes beyond these, e.g. `threads` for onnx; they
            become part of the detector's name. Text is read as a number where one is wanted.

    Raises:
        InputError: unknown name or option, labels missing or given twice, or whatever the detector
            cannot load.
        MissingExtraError: the library that runs the detector is not installed.
    """
    kind, _, source = name.partition(":")
    module, function = find_entry(name).loader.split(":")
    if labels is not None and prompt is not None:
        raise InputError("give the labels of a detector as labels or as a prompt, not as both")
    if prompt is not None:
        labels = parse_prompt(prompt)
    loader = getattr(importlib.import_module(module), function)
    options = fit_options(loader, options, kind)
    detector: Detector = loader(source, labels=labels, device=device, dtype=dtype, **options)
    if options:
        # Results tell apart what was loaded in different ways.
        detector.name = f"{detector.name} ({describe(options)})"
    return detector


def load_for(name: str, labels: Sequence[str], **settings: Any) -> Detector:
    """A detector by name, asked for these labels unless it brings its own.

    Args:
        name: as for `load`.
        labels: of a data set, say.
        settings: device, dtype and options, as for `load`.

    Raises:
        InputError, MissingExtraError: as for `load`.
    """
    return load(name, labels=labels if find_entry(name).prompted else None, **settings)

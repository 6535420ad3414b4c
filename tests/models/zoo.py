"""Small models of the real classes, one case an adapter and family: what the contract runs on.

Each family's module in this folder (`tiny_*.py`) makes its `CASES`; a new adapter adds its module
to `FAMILIES` and passes everything in `test_contract.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from vps.core.detector import Detector

FAMILIES = (
    "tiny_grounding_dino",
    "tiny_hf_closed_set",
    "tiny_hf_zero_shot",
    "tiny_groundingdino",
    "tiny_florence2",
    "tiny_function",
    "tiny_mmdet",
    "tiny_onnx",
    "tiny_torchvision",
    "tiny_ultralytics",
)


class Own(NamedTuple):
    """What a library's own pipeline, from image to post-processing, finds in an image.

    boxes (n, 4) xyxy in pixels of the original image, scores (n,), and n label names.
    """

    boxes: Tensor
    scores: Tensor
    labels: list[str]


@dataclass(frozen=True)
class Reduction:
    """How a library goes from candidates to detections.

    Attributes:
        threshold: the score that a detection must exceed.
        nms_iou: the IoU above which the lower of two boxes of a label goes; None without NMS.
        multi_label: whether a candidate counts with each of its labels, or only with its best.
        top: the most detections that are kept.
    """

    threshold: float = 0.0
    nms_iou: float | None = None
    multi_label: bool = False
    top: int | None = None


@dataclass(frozen=True)
class Case:
    """A small model of a real class.

    Attributes:
        name: of the case, for the test report.
        needs: modules without which the case is skipped.
        save: writes the model as its library saves it into an empty folder.
        load: through `detectors.load`, from that folder, on a device.
        weights: name of the file with the weights, which the tests damage; None without one.
        model: the module inside the detector; None where there is none.
        own: what the library's own pipeline, loaded afresh from the folder, finds in an image.
        reduction: what that pipeline does last.
        sizes: (H, W) of the images; usual, wide, tall and tiny by default.
        spoilt: the detector from that folder with a value in place of all its weights; by default,
            of `model`.
        tolerance: of scores, and relative to the image's size of boxes.
        differentiable: whether the detector gives gradients.
        whole: whether these are of all paths; R-CNNs stop them at proposals.
        marks: pytest marks, e.g. "mmdet".
    """

    name: str
    save: Callable[[Path], None]
    load: Callable[[Path, str], Detector]
    needs: tuple[str, ...] = ()
    weights: str | None = None
    model: Callable[[Any], nn.Module | None] = lambda _: None
    own: Callable[[Path, np.ndarray], Own] | None = None
    reduction: Reduction = field(default_factory=Reduction)
    spoilt: Callable[[Path, float], Detector] | None = None
    sizes: tuple[tuple[int, int], ...] = ((48, 64), (40, 130), (130, 44), (13, 11))
    tolerance: float = 1e-4
    differentiable: bool = True
    whole: bool = True
    marks: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The modules that are needed and not installed."""
        return [module for module in self.needs if importlib.util.find_spec(module) is None]


def all_cases() -> list[Case]:
    """The cases of all families. A family's module imports its library when a case is used."""
    modules = [importlib.import_module(f"tests.models.{family}") for family in FAMILIES]
    return [case for module in modules for case in module.CASES]

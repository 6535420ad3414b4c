"""A description that is tried on an image, before anything is explained by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.onnx_files.config import OnnxConfig, build_description
from vps.core.detector import Detector

Adapter = Callable[[OnnxConfig, Any], Detector]
"""Makes a detector of a description and a session of onnxruntime."""

# For a trial where the file does not show how many classes there are.
_MANY = 1000


@dataclass(frozen=True)
class Trial:
    """What a proposal made of an image: how many boxes score 0.3 or more, and the best."""

    found: int
    best: float
    label: str
    sure: bool | None


def try_out(
    content: Mapping[str, Any],
    adapter: Adapter,
    session: Any,
    image: np.ndarray | None,
    most: int | None,
) -> Trial:
    """Run a description on an image; what is open in it is filled with anything.

    Raises:
        InputError: the file does not fit it.
        DetectorError: what it returns does not.
    """
    content = dict(content)
    content["input"] = {"scale": 1, "placement": "stretch", "size": [640, 640], **content["input"]}
    output = dict(content["output"])
    if output.get("head") == "anchors":
        sides = [[stride, stride] * 3 for stride in output.get("strides", ())]
        content["output"] = {"anchors": sides, **output}
    content.setdefault("labels", [f"class {number}" for number in range(most or _MANY)])
    detector = adapter(build_description(content), session)
    if image is None:
        from skimage.data import astronaut

        image = astronaut()
    found = detector.detect(detector.prepare(image)[None], (image.shape[0], image.shape[1]))
    best = found.scores[0].amax(-1)
    if not len(best):
        return Trial(0, 0.0, "", None)
    top = int(best.argmax())
    sure = None
    if found.objectness is not None:
        sure = bool((found.objectness == 1).all())
    label = detector.labels[int(found.scores[0, top].argmax())]
    return Trial(int((best >= 0.3).sum()), float(best[top]), label, sure)

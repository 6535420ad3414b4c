"""An explanation under the field names of the authors' implementation of VPS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vps.core.targets import Box

if TYPE_CHECKING:
    from vps.results.explanation import Explanation

MODES_OF_VPS = {"object": "object", "class": "cls", "box": "iou"}
"""Our names of the modes -> theirs."""

CURVES = {"score": "", "cls": "_class", "iou": "_iou"}
"""What follows insertion_ or deletion_ in their names -> what follows insertion or deletion in
ours."""


def vps_record(explanation: Explanation) -> dict[str, Any]:
    """The JSON that the scripts of VPS and PhaseWin read.

    Lists have one entry for each step k = 1..m; step 0 is in `baseline_score` (nothing shown) and
    `org_score` (the whole image). `smdl_score` is F, `_cls` the class score. Boxes are xyxy in
    whole pixels of the original image: the target's rounded, those of the steps cut off, as theirs.
    """
    record: dict[str, Any] = {
        "target_box": whole_box(explanation.target.box),
        "target_label": explanation.target.label,
        "category": explanation.target.label,
        "lambda1": explanation.lambdas[0],
        "lambda2": explanation.lambdas[1],
        "mode": MODES_OF_VPS.get(explanation.mode, explanation.mode),
        "sub-region_number": len(explanation.order),
        "org_score": float(explanation.deletion[0]),
        "baseline_score": float(explanation.insertion[0]),
        "smdl_score": explanation.objective[1:].tolist(),
        "smdl_score_max": float(explanation.objective[1:].max()),
        "smdl_score_max_index": int(explanation.objective[1:].argmax()),
        "region_area": explanation.areas[1:].tolist(),
        "model_forward_calls": explanation.passes,
    }
    for side in ("insertion", "deletion"):
        for theirs, ours in CURVES.items():
            record[f"{side}_{theirs}"] = getattr(explanation, side + ours)[1:].tolist()
        boxes = getattr(explanation, f"{side}_boxes")[1:]
        record[f"{side}_box"] = boxes.astype(int).tolist()
    return record


def whole_box(box: Box) -> list[int]:
    """A box in whole pixels, rounded, but never without an area.

    >>> whole_box((0.4, 0.6, 9.6, 0.9))
    [0, 0, 10, 1]
    """
    x1, y1, x2, y2 = box
    (left, right), (top, bottom) = _whole(x1, x2), _whole(y1, y2)
    return [left, top, right, bottom]


def _whole(low: float, high: float) -> tuple[int, int]:
    if round(low) < round(high):
        return round(low), round(high)
    return math.floor(low), max(math.ceil(high), math.floor(low) + 1)

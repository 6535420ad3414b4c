"""Average precision of a detector on a COCO data set, by pycocotools."""

from __future__ import annotations

import argparse
import contextlib
import io
from pathlib import Path
from typing import Any

from torchvision.ops import batched_nms

from detectors import load
from vps.core.boxes import xyxy_to_xywh
from vps.core.extras import require
from vps.data.readers.coco import read_coco
from vps.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", required=True, help="as for `vps detect`")
    parser.add_argument("--data", type=Path, required=True, help="folder in COCO's layout")
    parser.add_argument("--score", type=float, default=0.001, help="lowest score that counts")
    parser.add_argument("--nms", type=float, help="IoU of an NMS within labels; none by default")


def run(arguments: argparse.Namespace) -> None:
    """Print AP and AP50."""
    detector = load(arguments.detector)
    found = average_precision(
        detector, arguments.data, score=arguments.score, nms_iou=arguments.nms
    )
    print(f"{detector.name}: AP {found[0]:.3f}, AP50 {found[1]:.3f}")


def average_precision(
    detector: Any, data: Path, *, score: float = 0.001, nms_iou: float | None = None
) -> tuple[float, float]:
    """AP at IoU 0.5 to 0.95, and at 0.5, as COCO defines them; each label of a box counts.

    Args:
        detector: with labels of COCO.
        data: a folder with val2017/ and annotations/instances_val2017.json.
        score: the lowest that counts.
        nms_iou: of two boxes of a label that overlap by more the lower goes; None for no NMS.

    Raises:
        InputError: no data, or a label that it does not have.
    """
    coco = require("pycocotools.coco", extra="eval")
    judges = require("pycocotools.cocoeval", extra="eval")
    annotations = data / "annotations" / "instances_val2017.json"
    if not annotations.is_file():
        raise InputError(f"there is no {annotations}")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(annotations))
        numbers = {one["name"]: one["id"] for one in truth.loadCats(truth.getCatIds())}
        results = []
        for sample in read_coco(annotations, data / "val2017"):
            image = sample.image
            candidates = detector.detect(detector.prepare(image)[None], image.shape[:2])
            rows, columns = (candidates.scores[0] > score).nonzero().T
            boxes, scores = candidates.boxes[0][rows], candidates.scores[0][rows, columns]
            kept = range(len(rows))
            if nms_iou is not None:
                kept = batched_nms(boxes, scores, columns, nms_iou).tolist()
            flat = xyxy_to_xywh(boxes).tolist()
            results += [
                {
                    "image_id": sample.image_id,
                    "category_id": _number(numbers, detector.labels[columns[one]]),
                    "bbox": flat[one],
                    "score": float(scores[one]),
                }
                for one in kept
            ]
        judge = judges.COCOeval(truth, truth.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0]), float(judge.stats[1])


def _number(numbers: dict[str, int], label: str) -> int:
    # A class of COCO's numbers that has no name is in no annotation.
    return numbers.get(label, 0)

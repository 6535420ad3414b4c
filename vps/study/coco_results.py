"""What a study's detector finds in a data set, as COCO results JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vps.core.files import write_atomically
from vps.core.json_files import read_json_record
from vps.data.cases.asking import Vocabulary, detect_all
from vps.data.cases.select import chosen_images
from vps.data.dataset import Dataset
from vps.data.sample import Sample
from vps.errors import InputError
from vps.study.config import StudyConfig
from vps.study.devices import devices_here
from vps.study.inputs import load_detector, open_data

_FORMATS = ("coco", "lvis")


def write_coco_results(
    config: StudyConfig, name: str, loader: str, path: Path, threshold: float
) -> tuple[int, list[str]]:
    """Write the detections of all images of a data set: image_id, category_id, bbox and score.

    A bbox is x, y, width and height in pixels. It takes a pass an image.

    Args:
        config: of the study.
        name: of the data set.
        loader: see `vps.study.inputs.load_detector`.
        path: of the file, which pycocotools and FiftyOne read.
        threshold: the lowest score, in [0, 1].

    Returns:
        How many detections, and what was left out.

    Raises:
        InputError: a data set without the category ids of COCO.
        DetectorError: the detector cannot be loaded, or breaks its contract.
        OutputError: the file cannot be written.
    """
    data = config.datasets[name]
    if data.format not in _FORMATS:
        raise InputError(
            f"data set {name} is of format {data.format}, which has no category ids: COCO results "
            f"are of {' and '.join(_FORMATS)}"
        )
    dataset = open_data(config, name)
    detector = load_detector(config, dataset, loader, devices_here(config.detector.device, 1)[0])
    words = Vocabulary.between(tuple(detector.labels), dataset.labels, data.rename)
    ids = _category_ids(Path(data.annotations))
    found: list[dict[str, Any]] = []
    skipped: list[str] = []
    foreign = 0
    for sample, detections in detect_all(
        detector,
        _samples(dataset, config, skipped),
        threshold=threshold,
        nms_iou=config.select.nms_iou,
        batch_size=config.batch_size,
    ):
        for item in detections:
            label = words.to_dataset.get(item.label)
            if label not in ids:
                foreign += 1
                continue
            x1, y1, x2, y2 = item.box
            found.append(
                {
                    "image_id": sample.image_id,
                    "category_id": ids[label],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": item.score,
                }
            )
    if foreign:
        skipped.append(f"{foreign} detections of labels that the data set does not have")
    write_atomically(path, json.dumps(found).encode())
    return len(found), skipped


def _category_ids(annotations: Path) -> dict[str | None, int]:
    content = read_json_record(annotations, "annotation file")
    return {str(one["name"]).strip(): int(one["id"]) for one in content["categories"]}


def _samples(dataset: Dataset, config: StudyConfig, skipped: list[str]) -> Iterator[Sample]:
    for place in chosen_images(dataset, config.select):
        try:
            yield dataset[place]
        except InputError as error:
            skipped.append(str(error))

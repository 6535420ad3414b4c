"""Insertion and deletion of searches on the objects of a COCO folder that a detector finds."""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from detectors import load
from vps.boxes import iou
from vps.data.coco import read_coco
from vps.detections import detect
from vps.detector import Detector
from vps.errors import InputError
from vps.explain import explain
from vps.report.figure import save_figure
from vps.result import Explanation
from vps.targets import Target
from vps.types import Sample

_PER_IMAGE = 2  # so that one crowded image does not make up the whole sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--data", type=Path, required=True, help="COCO folder: val2017/ and so on")
    parser.add_argument("--split", default="val2017", help="name of the split (default: val2017)")
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml")
    parser.add_argument("--search", nargs="+", default=["greedy", "random"])
    parser.add_argument("--objects", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.3, help="lowest score of a case")
    parser.add_argument("--out", type=Path, default=Path("out/faithfulness"))
    parser.add_argument("--pictures", type=int, default=0, help="draw the first so many cases")


def run(arguments: argparse.Namespace) -> None:
    """Explain each case with each search and print one row a search."""
    samples = read_coco(
        arguments.data / "annotations" / f"instances_{arguments.split}.json",
        arguments.data / arguments.split,
    )
    detector = _load(arguments.detector, samples.labels)
    cases = list(_cases(detector, samples, arguments.threshold, arguments.objects))
    if not cases:
        raise InputError(f"{detector.name} finds none of the objects of {arguments.data}")
    print(f"{detector.name}, {len(cases)} objects of {arguments.data}, {arguments.regions} regions")
    print(f"{'search':>10} {'insertion AUC':>16} {'deletion AUC':>16} {'passes':>8} {'seconds':>8}")
    for search in arguments.search:
        results = []
        for number, (sample, object_id, target) in enumerate(tqdm(cases, search, disable=None)):
            path = arguments.out / search / f"{sample.image_id}_{object_id}"
            explanation = explain(
                detector,
                sample.image,
                target,
                regions=arguments.regions,
                search=search,
                batch_size=arguments.batch_size,
                image_name=str(sample.image_id),
            )
            explanation.save(path)
            results.append(explanation)
            if number < arguments.pictures:
                save_figure(explanation, sample.image, path.with_suffix(".png"))
        print(_row(search, results))


def _load(name: str, labels: tuple[str, ...]) -> Detector:
    """The detector, asked for the data set's labels unless it brings its own."""
    return load(name) if name.startswith("onnx:") else load(name, labels=labels)


def _cases(
    detector: Detector, samples: Sequence[Sample], threshold: float, wanted: int
) -> Iterator[tuple[Sample, int, Target]]:
    """Objects found with the right label at IoU 0.5; the target is what the detector says."""
    count = 0
    for sample in samples:
        found = detect(detector, sample.image, threshold)
        if not found or not len(sample.boxes):
            continue
        overlap = iou(
            torch.tensor([item.box for item in found], dtype=torch.float64),
            torch.from_numpy(sample.boxes),
        )
        taken: set[int] = set()
        for item, row in zip(found, overlap, strict=True):
            best = int(row.argmax())
            right = row[best] >= 0.5 and sample.labels[best] == item.label
            if right and best not in taken and len(taken) < _PER_IMAGE:
                taken.add(best)
                yield sample, sample.object_ids[best], Target(item.box, item.label)
                count += 1
                if count == wanted:
                    return


def _row(search: str, results: list[Explanation]) -> str:
    insertion = _mean([result.insertion_auc for result in results])
    deletion = _mean([result.deletion_auc for result in results])
    passes = statistics.mean(result.passes for result in results)
    seconds = statistics.mean(result.seconds for result in results)
    return f"{search:>10} {insertion:>16} {deletion:>16} {passes:8.0f} {seconds:8.1f}"


def _mean(values: list[float]) -> str:
    """Mean and its standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):.3f} +- {error:.3f}"

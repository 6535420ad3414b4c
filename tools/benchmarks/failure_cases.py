"""Failures of a detector on a COCO data set, for the benchmarks that repair them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from vps.core.detector import Detector
from vps.core.targets import Kind
from vps.data.cases.select import select_cases
from vps.data.cases.selection import Selection
from vps.data.readers.coco import read_coco
from vps.engine.problem import Problem, make_problem
from vps.sets.goals import with_rival


def add_failure_arguments(parser: argparse.ArgumentParser) -> None:
    """Which failures, and how they are asked about."""
    parser.add_argument("annotations", help="of COCO, e.g. instances_val2017.json")
    parser.add_argument("images", help="the folder of its images")
    parser.add_argument("--detector", required=True, help="see `vps detectors`")
    parser.add_argument("--per-kind", type=int, default=16, help="failures (default: 16)")
    parser.add_argument("--regions", type=int, default=49)
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--batch-size", type=int, default=8)


def failures_of(
    detector: Detector, arguments: argparse.Namespace, kinds: Sequence[Kind]
) -> Iterator[tuple[Kind, Problem]]:
    """The failures of some kinds, with a bar; each is about the target and its rival."""
    data = read_coco(arguments.annotations, arguments.images)
    selection = Selection(
        kinds=tuple(kinds), per_kind=arguments.per_kind, score_threshold=arguments.threshold
    )
    for case in tqdm(select_cases(detector, data, selection).cases, disable=None):
        yield (
            case.kind,
            make_problem(
                detector,
                data.find(case.image_id).image,
                with_rival(case.target),
                regions=arguments.regions,
                batch_size=arguments.batch_size,
            ),
        )

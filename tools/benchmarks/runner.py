"""Cases per minute of one worker against several, and memory and files of a long run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.schema import build
from vps.core.targets import Kind
from vps.data.cases.cases import Case, CaseList
from vps.errors import InputError
from vps.study.config import StudyConfig
from vps.study.progress import StudyProgress, StudySummary
from vps.study.run import run as run_cases

BOX = (8.0, 8.0, 24.0, 24.0)
LABELS = ("thing",)
SIZE = 32
LOADER = "tools.benchmarks.runner:load"


class ConvolutionDetector:
    """One box whose score is that of a small network; `width` channels set what a pass costs."""

    device = torch.device("cpu")
    labels = LABELS

    def __init__(self, name: str, width: int) -> None:
        self.name = name
        generator = torch.Generator().manual_seed(0)
        self._first = torch.randn(width, 3, 3, 3, generator=generator) / 5
        self._second = torch.randn(width, width, 3, 3, generator=generator) / (3 * width**0.5)
        self._side = 96 if width > 1 else 1

    def prepare(self, image: np.ndarray) -> Tensor:
        """(3, h, w) of the image as it is."""
        return torch.from_numpy(image).permute(2, 0, 1).float() / 255

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """One candidate each, on the box of all cases."""
        features = torch.nn.functional.interpolate(pixels, size=(self._side, self._side))
        for kernel in (self._first, self._second):
            features = torch.nn.functional.conv2d(features, kernel, padding=1).relu()
        scores = features.mean(dim=(1, 2, 3)).clamp(0, 1)
        boxes = torch.tensor(BOX).expand(len(pixels), 1, 4)
        return Candidates(boxes, scores[:, None, None], LABELS)


def load(name: str, labels: tuple[str, ...], *, device: str, dtype: str, width: int) -> Any:
    """What the runner imports in each worker."""
    return ConvolutionDetector(name, width)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("what", choices=["speed", "memory"])
    parser.add_argument("--cases", type=int, help="in one run (default: 60, memory: 10000)")
    parser.add_argument("--workers", type=int, default=2, help="held against one (default: 2)")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is shown")
    parser.add_argument("--width", type=int, default=32, help="channels of the network")
    parser.add_argument("--executor", default="serial", help="of the long run (default: serial)")


def run(arguments: argparse.Namespace) -> None:
    """Print cases per minute, or memory and files."""
    cases = arguments.cases or (60 if arguments.what == "speed" else 10_000)
    if cases < 20:
        raise InputError(f"--cases must be at least 20, got {cases}")
    (_speed if arguments.what == "speed" else _memory)(arguments, cases)


def _speed(arguments: argparse.Namespace, cases: int) -> None:
    torch.set_num_threads(1)
    detector = load("", LABELS, device="cpu", dtype="", width=arguments.width)
    pixels = torch.rand(8, 3, SIZE, SIZE)
    seconds = min(_seconds(lambda: detector.detect(pixels, (SIZE, SIZE))) for _ in range(5))
    print(f"{cases} cases, {1000 * seconds / 8:.1f} ms a pass, one thread a worker")
    ratios = []
    for number in range(arguments.runs):
        rates = [_rate(cases, arguments.width, workers) for workers in (1, arguments.workers)]
        ratios.append(rates[1] / rates[0])
        print(
            f"run {number + 1}: {rates[0]:.1f} cases/min with 1 worker, {rates[1]:.1f} with "
            f"{arguments.workers}: {ratios[-1]:.2f} times as many"
        )
    print(f"median: {statistics.median(ratios):.2f} times as many")


def _rate(cases: int, width: int, workers: int) -> float:
    """Cases a minute, from the first that is finished on: workers take seconds to start."""
    times: list[float] = []
    with _study(cases, 1, width, "processes", workers, regions=16) as (config, lists):
        _run(config, lists, lambda progress: times.append(time.perf_counter()))
    # Once all are at work: the first case of each is over.
    return 60 * (len(times) - workers) / (times[-1] - times[workers - 1])


def _memory(arguments: argparse.Namespace, cases: int) -> None:
    marks = {cases // 10 * tenth for tenth in (1, 2, 5, 10)}
    start = time.perf_counter()

    def show(progress: StudyProgress) -> None:
        if progress.seen in marks:
            seconds = time.perf_counter() - start
            print(f"{progress.seen:6d} cases: {_resident():7.1f} MiB, {seconds:.0f} s", flush=True)

    workers = 1 if arguments.executor == "serial" else arguments.workers
    with _study(cases, 10, 1, arguments.executor, workers, regions=8) as (config, lists):
        print(f"{0:6d} cases: {_resident():7.1f} MiB (the list is read)", flush=True)
        summary = _run(config, lists, show)
        files = sum(len(names) for _, _, names in os.walk(Path(config.out) / "cases"))
    print(f"{summary.results} results in {files} files")


def _run(config: StudyConfig, lists: dict[str, CaseList], show: Any) -> StudySummary:
    summary = run_cases(config, lists, loader=LOADER, show=show)
    if summary.done != summary.planned:
        raise InputError(f"{summary.planned - summary.done} cases failed; see {config.out}")
    return summary


@contextlib.contextmanager
def _study(
    cases: int, per_image: int, width: int, executor: str, workers: int, *, regions: int
) -> Iterator[tuple[StudyConfig, dict[str, CaseList]]]:
    """A study of noise images in a folder that goes when it ends."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _draw(folder, -(-cases // per_image))
        content = {
            "name": "benchmark",
            "out": str(folder / "out"),
            "datasets": {
                "noise": {
                    "format": "coco",
                    "annotations": str(folder / "objects.json"),
                    "images": str(folder),
                }
            },
            "detector": {"name": "convolution", "device": "cpu", "options": {"width": width}},
            "regions": {"count": regions, "method": "grid"},
            "methods": {"vps": {"options": {"search": "random" if width == 1 else "greedy"}}},
            "metrics": {"fidelity_subsets": 0},
            "run": {"executor": executor, "workers": workers, "threads": 1, "pictures": False},
        }
        chosen = tuple(
            Case(1 + number // per_image, f"d{number % per_image}", Kind.CORRECT, BOX, LABELS[0])
            for number in range(cases)
        )
        yield build(StudyConfig, content), {"noise": CaseList("noise", "", LABELS, {}, {}, chosen)}


def _draw(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    images = []
    for number in range(1, count + 1):
        pixels = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": SIZE, "width": SIZE})
    categories = [{"id": number, "name": name} for number, name in enumerate(LABELS, 1)]
    one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 8, 8], "area": 64}
    content = {"images": images, "annotations": [one], "categories": categories}
    (folder / "objects.json").write_text(json.dumps(content))


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _resident() -> float:
    """MiB of resident memory of this process; Linux."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024

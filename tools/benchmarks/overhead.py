"""Time and memory of the engine itself, with a detector that does nothing."""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.errors import InputError

SIZE = (773, 1332)
CANDIDATES, LABELS = 900, 80


class NoOpDetector:
    """Gives the same candidates whatever it sees, made beforehand."""

    name = "no-op"

    def __init__(self, device: torch.device, batch_size: int) -> None:
        self.device = device
        self.labels = tuple(f"label {i}" for i in range(LABELS))
        generator = torch.Generator().manual_seed(0)
        corner = torch.rand(batch_size, CANDIDATES, 2, generator=generator) * 500
        boxes = torch.cat([corner, corner + 300], dim=-1).to(device)
        scores = torch.rand(batch_size, CANDIDATES, LABELS, generator=generator).to(device)
        self._answers = [
            Candidates(boxes[:n], scores[:n], self.labels) for n in range(1, batch_size + 1)
        ]

    def prepare(self, image: np.ndarray) -> Tensor:
        """(3, h, w) of the image as it is."""
        return torch.from_numpy(image).to(self.device).permute(2, 0, 1).float() / 255

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """The same as ever."""
        return self._answers[len(pixels) - 1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--regions", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--passes", type=int, default=64, help="passes in one run")
    parser.add_argument("--runs", type=int, default=7, help="runs of which the median is shown")


def run(arguments: argparse.Namespace) -> None:
    """Print one row for each number of regions."""
    if arguments.passes < 2 * arguments.batch_size:
        raise InputError(f"--passes must be at least two batches, {2 * arguments.batch_size}")
    height, width = SIZE
    print(
        f"{arguments.device}, {height} x {width}, batch of {arguments.batch_size}, median of "
        f"{arguments.runs} runs of {arguments.passes} passes, {torch.get_num_threads()} thread(s)"
    )
    print(f"{'regions':>7} {'ms/pass':>8} {'ms/clone':>9} {'ratio':>6} {'peak memory':>12}")
    for count in arguments.regions:
        task = (arguments.device, count, arguments.batch_size, arguments.passes)
        own, clone, ratio = _times(*task, runs=arguments.runs)
        # A fresh process, in which no memory freed earlier hides what is allocated now.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            memory = pool.apply(_memory, task)
        print(f"{count:7d} {own:8.2f} {clone:9.2f} {ratio:6.2f} {memory:5.2f} batches")


def _setup(device: str, count: int, batch_size: int) -> Callable[[], Objective]:
    """A function that makes a new objective with an empty cache, everything else ready."""
    where = torch.device(device)
    rng = np.random.default_rng(0)
    detector = NoOpDetector(where, batch_size)
    pixels = detector.prepare(rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    cells = rng.integers(0, count, tuple(side // 16 + 1 for side in SIZE), dtype=np.int32)
    cells.flat[:count] = np.arange(count)
    labels = cells.repeat(16, axis=0).repeat(16, axis=1)[: SIZE[0], : SIZE[1]]
    regions = Regions(labels, "blocks")
    target = Target((100.0, 100.0, 400.0, 400.0), detector.labels[7])
    return lambda: Objective(
        Passes(detector, pixels, SIZE, regions, [target], batch_size=batch_size)
    )


def _times(
    device: str, count: int, batch_size: int, passes: int, *, runs: int
) -> tuple[float, float, float]:
    """Median ms a pass of the engine, of `clone` of the same pixels, and of their ratio."""
    objective = _setup(device, count, batch_size)()
    pixels = torch.rand(batch_size, 3, *SIZE, device=device)
    rng = np.random.default_rng(1)
    keeps = [rng.random((passes // 2, count)) < 0.5 for _ in range(runs + 1)]

    def clones() -> None:
        for _ in range(passes // batch_size):
            pixels.clone()

    own, clone = [], []
    for keep in keeps:
        before = objective.source.passes
        seconds = seconds_of(lambda: objective.value(keep), device)  # noqa: B023
        own.append(1000 * seconds / (objective.source.passes - before))
        clone.append(1000 * seconds_of(clones, device) / (passes // batch_size * batch_size))
    # The first run warms up.
    ratios = [a / b for a, b in zip(own[1:], clone[1:], strict=True)]
    return statistics.median(own[1:]), statistics.median(clone[1:]), statistics.median(ratios)


def seconds_of(work: Callable[[], object], device: str) -> float:
    """How long some work takes, until the device has done it."""
    start = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _memory(device: str, count: int, batch_size: int, passes: int) -> float:
    """Peak memory of making an objective and using it, in batches of pixels."""
    make = _setup(device, count, batch_size)
    keep = np.random.default_rng(1).random((passes // 2, count)) < 0.5
    batch = batch_size * 3 * SIZE[0] * SIZE[1] * 4
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        make().value(keep)
        return (torch.cuda.max_memory_allocated() - before) / batch
    make().value(keep[:1])  # imports what the first pass needs
    # Memory freed while setting up would be used again without being counted.
    ctypes.CDLL(None).malloc_trim(0)
    # Resets the peak that the kernel keeps of this process, else imports would hide in it.
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    make().value(keep)
    return (_resident("VmHWM") - before) / batch


def _resident(field: str) -> int:
    """Bytes of resident memory of this process, now (VmRSS) or at its peak (VmHWM); Linux."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024

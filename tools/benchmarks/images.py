"""What a large image costs: the peak memory and the time of `vps detect`, by size and format."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tabulate import tabulate

from vps.errors import DetectorError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml", help="by its name")
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["640x480", "12000x8000"],
        metavar="WxH",
        help="of the images (default: 640x480 12000x8000)",
    )
    parser.add_argument("--formats", nargs="+", default=["jpg", "png"], help="(default: jpg png)")


def run(arguments: argparse.Namespace) -> None:
    """Draw images, look at each in a process of its own, and print a table.

    The process uses the `vps` of the environment: with PYTHONPATH, that of another checkout.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            width, height = map(int, size.split("x"))
            for form in arguments.formats:
                path = Path(folder) / f"{size}.{form}"
                _draw(width, height).save(path)
                memory, seconds = _measured(path, arguments.detector)
                rows.append([size, form, f"{memory:.0f}", f"{seconds:.1f}"])
                path.unlink()
    heads = ["image", "format", "peak memory (MiB)", "seconds"]
    print(tabulate(rows, heads, tablefmt="github", disable_numparse=True))


def _draw(width: int, height: int) -> Image.Image:
    """Coloured tiles, so that the file is neither empty nor noise."""
    tiles = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return Image.fromarray(tiles).resize((width, height), Image.Resampling.NEAREST)


def _measured(path: Path, detector: str) -> tuple[float, float]:
    """The peak memory in MiB of a process that looks at an image, and its seconds.

    Raises:
        DetectorError: the process failed.
    """
    command = [sys.executable, "-m", "vps.cli.main", "detect", str(path), "--detector", detector]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise DetectorError(f"`vps detect {path.name} --detector {detector}` failed")
    return usage.ru_maxrss / 1024, time.perf_counter() - start

"""`vps stability`: what of an explanation stays when the settings that are not about it change."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from vps.cli.choices import DEMO_DETECTOR
from vps.cli.inputs import DetectorChoice, ImageChoice
from vps.cli.options import (
    HOW,
    BatchSizeOption,
    DetectorNameOption,
    DetectorSettings,
    DeviceOption,
    DtypeOption,
    MethodOption,
    PromptOption,
    QuietOption,
    RegionsOption,
    ThresholdOption,
)
from vps.cli.output import check_writable, noted
from vps.errors import InputError

if TYPE_CHECKING:
    from vps.metrics.stability import Stability

_FIELDS = ("spearman", "top_iou", "kept", "chance", "gain")
_HEADS = ("Spearman", "IoU of top 10 %", "what decides, again", "by chance", "J more")


def stability_command(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="image files")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="folder for stability.csv")
    ] = None,
    detection: Annotated[
        int, typer.Option("--detection", metavar="K", help="number K of `vps detect`")
    ] = 1,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="how many other seeds")] = 1,
    numbers: Annotated[
        list[int] | None,
        typer.Option("--other-regions", metavar="N", help="36 and 100; may be repeated"),
    ] = None,
    fills: Annotated[
        list[str] | None,
        typer.Option("--other-fill", metavar="NAME", help="black and blur; may be repeated"),
    ] = None,
    detector: DetectorNameOption = DEMO_DETECTOR,
    prompt: PromptOption = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    option: DetectorSettings = None,
    threshold: ThresholdOption = 0.3,
    method: MethodOption = "vps",
    budget: Annotated[
        int | None,
        typer.Option("--budget", metavar="N", help="passes of the method", rich_help_panel=HOW),
    ] = None,
    regions: RegionsOption = 64,
    batch_size: BatchSizeOption = 8,
    quiet: QuietOption = False,
) -> None:
    """Explain detections again with other seeds, searches, regions and fills, and compare.

    Prints, for each variation, the mean over the images (lowest to highest).
    """
    # Here, for they import torch.
    from vps.cli.settings import RunSettings
    from vps.core.detect import detect
    from vps.core.images import open_image
    from vps.metrics.stability import stability, usual_variations

    chosen = DetectorChoice(detector, prompt, device, dtype, option or (), threshold)
    run = RunSettings(regions, batch_size, method_name=method)
    run.check()
    chosen.check()
    if seeds < 0:
        raise InputError(f"--seeds is 0 or more, got {seeds}")
    if out is not None:
        check_writable(out)
    changes = usual_variations(
        seeds=seeds, numbers=numbers or (36, 100), fills=fills or ("black", "blur")
    )
    loaded, _ = chosen.load_with(ImageChoice(images[0]))
    found: list[tuple[str, Stability]] = []
    for path, image in [(path, open_image(path)) for path in images]:
        seen = detect(loaded, image, threshold)
        if len(seen) < detection:
            print(f"{path.name}: there is no detection {detection}, {len(seen)} exist; left out")
            continue
        with noted():
            _, rows = stability(
                loaded,
                image,
                seen[detection - 1],
                variations=changes,
                method=method,
                budget=budget,
                regions=regions,
                batch_size=batch_size,
            )
        found += [(path.name, row) for row in rows]
        if not quiet:
            print(f"{path.name}: explained {len(rows) + 1} times", file=sys.stderr)
    if not found:
        raise InputError(f"no image has a detection {detection} at --threshold {threshold:g}")
    for line in _table([row for _, row in found]):
        print(line)
    if out is not None:
        from vps.core.files import write_atomically

        path = out / "stability.csv"
        write_atomically(path, _csv(found).encode())
        print(f"-> {path}")


def _table(rows: Sequence[Stability]) -> Iterator[str]:
    """A line a variation: means over the images, and their range."""
    yield f"{'':20} {'images':>6}" + "".join(f" {head:>22}" for head in _HEADS)
    for name in dict.fromkeys(row.variation for row in rows):
        same = [row for row in rows if row.variation == name]
        cells = [_cell([getattr(row, field) for row in same]) for field in _FIELDS]
        yield f"{name:20} {len(same):6d}" + "".join(f" {cell:>22}" for cell in cells)


def _cell(values: Sequence[float]) -> str:
    there = [value for value in values if math.isfinite(value)]
    if not there:
        return "-"
    return f"{fmean(there):.2f} ({min(there):.2f} to {max(there):.2f})"


def _csv(found: Sequence[tuple[str, Stability]]) -> str:
    from vps.report.tables.escapes import csv_table

    rows = [
        [name, row.variation, *(getattr(row, field) for field in _FIELDS)] for name, row in found
    ]
    return csv_table(["image", "variation", *_FIELDS], rows)

"""`vps detect`: what a detector finds in an image."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from vps.cli.choices import DEMO_DETECTOR
from vps.cli.inputs import DetectorChoice, ImageChoice
from vps.cli.options import (
    DetectorNameOption,
    DetectorSettings,
    DeviceOption,
    DtypeOption,
    ExifOption,
    ImageArgument,
    MaxPixelsOption,
    PromptOption,
    ThresholdOption,
)
from vps.cli.output import box_text


def detect_command(
    image: ImageArgument,
    detector: DetectorNameOption = DEMO_DETECTOR,
    prompt: PromptOption = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    option: DetectorSettings = None,
    threshold: ThresholdOption = 0.3,
    exif: ExifOption = "applied",
    max_pixels: MaxPixelsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """List what a detector finds in an image."""
    from vps.core.detect import detect

    chosen = DetectorChoice(detector, prompt, device, dtype, option or (), threshold)
    asked = ImageChoice(image, exif, max_pixels)
    asked.reading()
    chosen.check()
    loaded, opened = chosen.load_with(asked)
    found = detect(loaded, opened, threshold)
    if as_json:
        rows = [{"label": item.label, "score": item.score, "box": item.box} for item in found]
        print(json.dumps(rows, indent=1))
        return
    if not found:
        print(f"nothing found with a score of {threshold:g} or more")
    width = max((len(item.label) for item in found), default=0)
    for number, item in enumerate(found, start=1):
        print(f"{number:3d}  {item.label:{width}}  {item.score:.3f}  {box_text(item.box)}")

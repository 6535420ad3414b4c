"""The small picture of one result: boxes and what to hide on the image, and the map over it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw
from scipy.ndimage import binary_dilation, binary_erosion

from vps.core.files import write_atomically
from vps.core.targets import Box
from vps.engine import attribution
from vps.report.figures.panels import ORANGE, VERMILLION, greyed, map_colours
from vps.results.explanation import Explanation

SAID = "#56B4E9"
"""The colour of the box that the detector gave instead; the target's is ORANGE."""

_WIDTH, _HIGHEST, _GAP = 240, 360, 4  # pixels of each half
_QUALITY = 85
_TINT = 0.25


def thumbnail(
    explanation: Explanation,
    image: np.ndarray,
    path: str | PathLike[str],
    hidden: Collection[int] = (),
) -> Path:
    """Write a JPEG: left the image with the target's box and what was said, right the map over it.

    Args:
        explanation: what is shown.
        image: (h, w, 3) uint8 RGB, the image that was explained, perhaps at a lower resolution.
        path: of the picture.
        hidden: regions whose hiding repairs a failure; they are outlined on the image.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written.
    """
    height, width = explanation.image_size
    ratio = min(_WIDTH / width, _HIGHEST / height)
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    small = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    with warnings.catch_warnings():
        # A constant map is told of among the warnings of the explanation.
        warnings.simplefilter("ignore")
        values = explanation.heatmap_at((size[1], size[0]))
    heat = map_colours(explanation, values, greyed(np.asarray(small)))
    right = Image.fromarray((255 * heat).astype(np.uint8))
    if hidden:
        inside = np.isin(attribution.resized(explanation.label_map, (size[1], size[0])), [*hidden])
        small = outlined(small, inside)
    target = explanation.target
    scale = (size[0] / width, size[1] / height)
    if target.predicted_box is not None and target.predicted_box != target.box:
        draw_pixel_box(small, target.predicted_box, scale, SAID)
    draw_pixel_box(small, target.box, scale, ORANGE)
    draw_pixel_box(right, target.box, scale, ORANGE)
    picture = Image.new("RGB", (2 * size[0] + _GAP, size[1]), "white")
    picture.paste(small, (0, 0))
    picture.paste(right, (size[0] + _GAP, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    path = Path(path)
    write_atomically(path, buffer.getvalue())
    return path


def outlined(picture: Image.Image, inside: np.ndarray) -> Image.Image:
    """The picture with what is inside tinted, and its edge, two pixels wide with a dark rim."""
    line = inside & ~binary_erosion(inside, iterations=2)
    rim = binary_dilation(line) & ~line
    pixels, colour = np.array(picture), np.array(ImageColor.getrgb(VERMILLION))
    # Of an area with holes, or of many, the edge alone does not tell which side is meant.
    pixels[inside] = (1 - _TINT) * pixels[inside] + _TINT * colour
    pixels[rim] = 0
    pixels[line] = colour
    return Image.fromarray(pixels)


def draw_pixel_box(picture: Image.Image, box: Box, scale: tuple[float, float], colour: str) -> None:
    """An outline with a dark rim, two pixels wide, inside the picture wherever the box lies."""
    right, bottom = picture.width - 2, picture.height - 2
    x1, x2 = (min(max(round(x * scale[0]), 1), right) for x in (box[0], box[2]))
    y1, y2 = (min(max(round(y * scale[1]), 1), bottom) for y in (box[1], box[3]))
    x2, y2 = max(x1, x2), max(y1, y2)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline="black", width=4)
    draw.rectangle((x1, y1, x2, y2), outline=colour, width=2)

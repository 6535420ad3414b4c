"""Pictures of the page, as addresses that hold the picture itself: nothing lies in a file."""

from __future__ import annotations

import base64
import io
import warnings

import numpy as np
from PIL import Image

from vps.core.pictures import shrunk
from vps.engine import attribution
from vps.report.figures.panels import greyed, map_colours
from vps.report.figures.steps import ShownOrHidden, step_pixels
from vps.report.figures.thumbnail import ORANGE, draw_pixel_box, outlined
from vps.results.answer import Answer
from vps.results.explanation import Explanation

LONGEST_ON_PAGE = 900
"""Pixels of the longer side: about what a screen has room for."""

_QUALITY = 88


def page_pixels(pixels: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) uint8 as large as the page shows it."""
    return shrunk(pixels, LONGEST_ON_PAGE)


def address(pixels: np.ndarray | Image.Image) -> str:
    """A picture as a `data:` address."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def map_picture(explanation: Explanation, pixels: np.ndarray) -> Image.Image:
    """The map over the image in grey, with the target's box."""
    size = pixels.shape[0], pixels.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a map that is constant as yet
        values = explanation.heatmap_at(size)
    picture = _picture(map_colours(explanation, values, greyed(pixels)))
    _draw(picture, explanation, explanation.target.box)
    return picture


def step_picture(
    explanation: Explanation, pixels: np.ndarray, step: int, side: ShownOrHidden
) -> Image.Image:
    """What the detector saw at a step of the order, with the box that it gave."""
    picture = _picture(step_pixels(explanation, pixels, step, side))
    shown = side == "shown"
    scores = explanation.insertion if shown else explanation.deletion
    boxes = explanation.insertion_boxes if shown else explanation.deletion_boxes
    if scores[step] > 0:
        _draw(picture, explanation, tuple(boxes[step]))
    return picture


def hidden_picture(answer: Answer, pixels: np.ndarray) -> Image.Image | None:
    """The set that an answer names, outlined: what to hide, or what suffices; None without one."""
    found = answer.repair or answer.necessary or answer.sufficient or answer.best
    if found is None or not found.regions:
        return None
    explanation = answer.explanation
    chosen = np.zeros(len(explanation.order), bool)
    chosen[list(found.regions)] = True
    size = pixels.shape[0], pixels.shape[1]
    inside = attribution.paint(chosen, explanation.label_map, size)
    picture = outlined(Image.fromarray(pixels), inside)
    _draw(picture, explanation, answer.target.box)
    return picture


def _picture(colours: np.ndarray) -> Image.Image:
    return Image.fromarray((255 * np.clip(colours, 0, 1)).round().astype(np.uint8))


def _draw(picture: Image.Image, explanation: Explanation, box: tuple[float, ...]) -> None:
    height, width = explanation.image_size
    scale = picture.width / width, picture.height / height
    x1, y1, x2, y2 = (float(value) for value in box)
    draw_pixel_box(picture, (x1, y1, x2, y2), scale, ORANGE)

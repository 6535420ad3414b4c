"""The figure of an answer: before, what is hidden, after."""

from __future__ import annotations

import textwrap
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vps import attribution
from vps.answer import Answer, RegionSet
from vps.errors import InputError
from vps.images import as_rgb
from vps.masking import FILLS, make_fill
from vps.report.figure import write_figure
from vps.report.panels import (
    GREY,
    ORANGE,
    SMALL,
    VERMILLION,
    draw_box,
    draw_label,
    greyed,
    pixel_centres,
    show,
    shrunk,
)
from vps.targets import Kind

_WIDTH, _MARGIN, _GAP, _TITLE, _LINE = 7.2, 0.06, 0.12, 0.22, 0.14  # inches
_LOWEST, _HIGHEST = 0.6, 2.8
_CHARACTERS = 19.0  # that fit into an inch


def draw_answer(answer: Answer, image: np.ndarray) -> Figure:
    """Draw an answer as three panels in a row, with its sentence below.

    Before: the target's box, dashed where it is not found. The middle: the regions of the set that
    the answer is about, outlined. After: the image as the detector then sees it, with the box that
    it finds. The set is the one to hide, `repair` or `necessary`; where there is none, the one that
    is shown alone, `best` or `sufficient`; without any, there is only the first panel.

    Args:
        answer: what is drawn.
        image: (H, W, 3) uint8 RGB, the image that was explained.

    Raises:
        InputError: an image of another size than the one that was explained.
    """
    image = as_rgb(image)
    if image.shape[:2] != answer.explanation.image_size:
        raise InputError(
            f"the answer is about an image of {answer.explanation.image_size} pixels (height, "
            f"width), this one has {image.shape[:2]}"
        )
    image = shrunk(image)
    aspect = image.shape[1] / image.shape[0]
    width = (_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
    height = float(np.clip(width / aspect, _LOWEST, _HIGHEST))
    wide = height * aspect if height < width / aspect else width
    sentence = answer.sentence()
    lines = textwrap.wrap(sentence[0].upper() + sentence[1:] + ".", int(_WIDTH * _CHARACTERS))
    total = 2 * _MARGIN + 3 * width + 2 * _GAP, _TITLE + height + 0.1 + _LINE * len(lines)
    figure = Figure(figsize=total, facecolor="white")
    FigureCanvasAgg(figure)
    low = (total[1] - _TITLE - height) / total[1]
    panels = [
        figure.add_axes(
            (
                (_MARGIN + number * (width + _GAP)) / total[0],
                low,
                wide / total[0],
                height / total[1],
            )
        )
        for number in range(3)
    ]
    chosen = shown_set(answer)
    _draw_before(panels[0], answer, image)
    if chosen is None:
        panels[1].set_axis_off()
        panels[2].set_axis_off()
    else:
        _draw_set(panels[1], answer, chosen, image)
        _draw_after(panels[2], answer, chosen, image)
    figure.text(
        _MARGIN / total[0],
        low - 0.05 / total[1],
        "\n".join(lines),
        fontsize=SMALL + 0.5,
        va="top",
        color=GREY,
        linespacing=1.25,
        parse_math=False,
    )
    return figure


def save_answer_figure(
    answer: Answer, image: np.ndarray, path: str | PathLike[str], *, dpi: int = 200
) -> Path:
    """Draw an answer and write it as png, pdf or svg, by the suffix of `path`.

    Raises:
        InputError: a suffix that matplotlib does not know.
        OutputError: a path that cannot be written.
    """
    return write_figure(draw_answer(answer, image), path, dpi)


def shown_set(answer: Answer) -> RegionSet | None:
    """The set that the figure is about; one without regions would show nothing."""
    sets = (answer.repair, answer.necessary, answer.best, answer.sufficient)
    return next((found for found in sets if found is not None and found.regions), None)


def _draw_before(axes: Axes, answer: Answer, image: np.ndarray) -> None:
    explanation, size = answer.explanation, answer.explanation.image_size
    show(axes, image, size)
    found = answer.found_at_once and answer.kind is not Kind.MISSED
    draw_box(axes, answer.target.box, dashed=not found)
    text = f"{answer.target.label} {explanation.deletion_class[0]:.2f}"
    rival = answer.rival
    if rival is not None:
        assert answer.rival_explanation is not None
        score = answer.rival_explanation.deletion_class[0]
        if rival.box == answer.target.box:
            text = f"{rival.label} {score:.2f}, {text}"
        else:
            draw_box(axes, rival.box, colour="white")
            draw_label(axes, rival.box, f"{rival.label} {score:.2f}", size)
    draw_label(axes, answer.target.box, text, size)
    _title(axes, "Before")


def _members(answer: Answer, found: RegionSet, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool on a grid of that size: the regions of a set."""
    inside = np.zeros(len(answer.explanation.order), bool)
    inside[list(found.regions)] = True
    return attribution.paint(inside, answer.explanation.label_map, size)


def _draw_set(axes: Axes, answer: Answer, found: RegionSet, image: np.ndarray) -> None:
    size = answer.explanation.image_size
    inside = _members(answer, found, image.shape[:2])
    faded = (0.35 * greyed(image) + 0.6)[..., None]
    show(axes, np.where(inside[..., None], image / 255, faded), size)
    if inside.any() and not inside.all():
        centres = pixel_centres(image.shape[:2], size)
        axes.contour(*centres, inside, levels=[0.5], colors=VERMILLION, linewidths=1.2)
    draw_box(axes, answer.target.box, width=0.8, dashed=True)
    verb = "hidden" if found.hidden else "shown alone"
    _title(axes, f"What is {verb}: {100 * found.area:.0f} %")


def _draw_after(axes: Axes, answer: Answer, found: RegionSet, image: np.ndarray) -> None:
    size = answer.explanation.image_size
    inside = _members(answer, found, image.shape[:2])
    shown = ~inside if found.hidden else inside
    show(axes, np.where(shown[..., None], image / 255, _fill(answer, image)), size)
    text = f"{answer.target.label} {found.class_score:.2f}"
    seen = found.found_score >= answer.threshold
    box = found.box if seen else answer.target.box
    draw_box(axes, box, colour=ORANGE, dashed=not seen)
    draw_label(axes, box, text, size)
    _title(axes, "After")


def _fill(answer: Answer, image: np.ndarray) -> np.ndarray:
    """What hides a region, (1 or H, 1 or W, 3) in [0, 1]."""
    name = answer.explanation.fill
    colour = name if name in FILLS else tuple(float(part) for part in name.split(","))
    pixels = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)
    return make_fill(colour, pixels).permute(1, 2, 0).numpy()  # type: ignore[arg-type]


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=SMALL + 1, fontweight="bold", pad=4)

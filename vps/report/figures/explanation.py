"""The figure of an explanation: detection, map, smallest sufficient part, curves."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vps.core.images import AnyImage
from vps.core.pictures import drawable
from vps.core.targets import Kind
from vps.errors import InputError, OutputError
from vps.report.figures.letters import fit_letters, latin_note, wrapped
from vps.report.figures.panels import (
    GREY,
    SMALL,
    SUFFICIENT,
    VERMILLION,
    coloured,
    draw_curves,
    draw_detection,
    draw_map,
    draw_sufficient,
    regions_shown,
)
from vps.results.explanation import Explanation

# Inches: the width of a printed page, so that the letters keep the size that they have here.
_WIDTH = 7.2
_MARGIN, _GAP, _TITLE, _CAPTION = 0.06, 0.12, 0.22, 0.4
_RIGHT = 0.14  # the last tick label sticks out
_CHARACTERS = 22.0  # that fit into an inch of caption
_AXIS_LEFT, _CURVES_ASPECT, _LOWEST, _HIGHEST = 0.42, 1.15, 1.1, 2.6
_NARROWEST = 1.1  # a panel, for the sake of its caption


def draw_explanation(explanation: Explanation, image: AnyImage) -> Figure:
    """Draw an explanation as one figure of four panels.

    In a row, or two by two where the image is so wide that a row would be too low.

    Args:
        explanation: what is drawn.
        image: that was explained, in whatever form.

    Raises:
        InputError: an image that cannot be read, or of another size than what was explained.
    """
    image = drawable(image, explanation.image_size, "the explanation is of")
    places, size = _layout(image.shape[1] / image.shape[0])
    latin = latin_note([explanation.target.label, explanation.detector])
    notes = [*explanation.warnings, *([latin] if latin else [])]
    lines = [line for note in notes for line in wrapped(f"! {note}", 110)]
    extra = 0.14 * len(lines) + (0.06 if lines else 0)
    figure = Figure(figsize=(size[0], size[1] + extra), facecolor="white")
    FigureCanvasAgg(figure)
    panels = [_axes(figure, place, size[1]) for place in places]
    draw_detection(panels[0], explanation, image)
    draw_map(panels[1], explanation, image)
    draw_sufficient(panels[2], explanation, image)
    draw_curves(panels[3], explanation)
    part = "Best part" if explanation.target.kind is Kind.MISSED else "Sufficient part"
    titles = ("Detection", "Attribution", part, "Faithfulness")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, loc="left", fontsize=SMALL + 1, fontweight="bold", pad=4)
    _caption(panels[0], _about_detection(explanation), max(places[0][2], _NARROWEST))
    _caption(panels[2], _about_part(explanation), max(places[2][2], _NARROWEST))
    note = "" if explanation.levels is None else "\ngrey: cannot be told"
    _colour_bar(figure, places[1], size[1], f"attribution{note}")
    for number, line in enumerate(reversed(lines)):
        y = (0.05 + 0.14 * number) / (size[1] + extra)
        figure.text(_MARGIN / size[0], y, line, fontsize=SMALL, color=VERMILLION, parse_math=False)
    fit_letters(figure)
    return figure


def save_figure(
    explanation: Explanation,
    image: AnyImage,
    path: str | PathLike[str],
    *,
    dpi: int = 200,
) -> Path:
    """Draw an explanation and write it as png, pdf or svg, by the suffix of `path`.

    Args:
        explanation: what to draw.
        image: that was explained: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        path: of the picture.
        dpi: dots an inch.

    Raises:
        InputError: an image that cannot be read, or a suffix that matplotlib does not know.
        OutputError: a path that cannot be written.
    """
    return write_figure(draw_explanation(explanation, image), path, dpi)


def write_figure(figure: Figure, path: str | PathLike[str], dpi: int) -> Path:
    """Write a figure as png, pdf or svg, by the suffix of `path`; missing folders are made.

    Raises:
        InputError: a suffix that matplotlib does not know.
        OutputError: a path that cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=dpi)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} cannot be drawn: {error}") from error
    return path


Place = tuple[float, float, float, float]


def _layout(aspect: float) -> tuple[list[Place], tuple[float, float]]:
    """Left, top, width and height in inches of the four panels, and the size of the figure."""
    free = _WIDTH - _MARGIN - _RIGHT - 3 * _GAP - _AXIS_LEFT
    height = min(free / (3 * aspect + _CURVES_ASPECT), _HIGHEST)
    if height >= _LOWEST:
        step = max(height * aspect, _NARROWEST) + _GAP
        places = [(_MARGIN + number * step, _TITLE, height * aspect, height) for number in range(3)]
        left = _MARGIN + 3 * step + _AXIS_LEFT
        places.append((left, _TITLE, min(height * _CURVES_ASPECT, 2.2), height))
        return places, (left + places[3][2] + _RIGHT, _TITLE + height + _CAPTION)
    width = min((_WIDTH - _MARGIN - _RIGHT - _GAP) / 2, _HIGHEST * aspect)
    height = width / aspect
    # Curves need some height, however low the image is.
    lowest = max(height, _LOWEST)
    right, lower = _MARGIN + width + _GAP, _TITLE + height + _CAPTION + _TITLE
    places = [(_MARGIN, _TITLE, width, height), (right, _TITLE, width, height)]
    places += [
        (_MARGIN, lower, width, height),
        (right + _AXIS_LEFT, lower, width - _AXIS_LEFT, lowest),
    ]
    return places, (right + width + _RIGHT, lower + lowest + _CAPTION)


def _axes(figure: Figure, place: Place, bottom: float) -> Axes:
    """Axes at a place that counts from the top; `bottom` is where the panels' area ends."""
    width, height = figure.get_size_inches()
    left, top, wide, high = place
    lowest = height - bottom
    return figure.add_axes(
        (left / width, (lowest + bottom - top - high) / height, wide / width, high / height)
    )


def _caption(axes: Axes, text: str, width: float) -> None:
    """Up to three lines under a panel of a width in inches."""
    lines = wrapped(
        text, int(width * _CHARACTERS), max_lines=3, placeholder="\u2026", break_on_hyphens=False
    )
    axes.annotate(
        "\n".join(lines),
        (0, 0),
        xytext=(0, -4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        color=GREY,
        linespacing=1.2,
        annotation_clip=False,
        parse_math=False,
    )


def _colour_bar(figure: Figure, place: Place, bottom: float, name: str) -> None:
    """Below the map: the same colours, over the grey of the middle, and what they are."""
    left, top, width, height = place
    axes = _axes(figure, (left, top + height + 0.07, width, 0.08), bottom)
    axes.imshow(coloured(np.linspace(0, 1, 256)[None], 0.5), aspect="auto", extent=(0, 1, 0, 1))
    axes.set(xticks=[0, 0.5, 1], yticks=[])
    # A bar too narrow for its name still tells its ends.
    middle = name if width >= _NARROWEST else ""
    axes.set_xticklabels(["0", middle, "1"], fontsize=SMALL, color=GREY)
    axes.tick_params(length=0, pad=2)
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _about_detection(explanation: Explanation) -> str:
    target, score = explanation.target, explanation.deletion_class[0]
    overlap = explanation.deletion_iou[0]
    seen = f"{target.kind.traits.seen} {explanation.detector}"
    return f"score {score:.2f}, IoU {overlap:.2f}; {seen}"


def _about_part(explanation: Explanation) -> str:
    count = regions_shown(explanation)
    area = explanation.areas[count]
    parts = "pixel steps" if explanation.by_pixels else "regions"
    part = f"{count} of {len(explanation.order)} {parts}, {area:.0%} of the area,"
    if not explanation.insertion.max() > 0:
        return "no part of the image scores: there is nothing to keep"
    if explanation.target.kind is Kind.MISSED:
        reached, full = explanation.insertion[count], explanation.insertion[-1]
        return f"{part} score {reached:.2f}; the whole image scores {full:.2f}"
    if not explanation.insertion[-1] > 0:
        return "the whole image scores 0: there is nothing to keep"
    return f"{part} reach {SUFFICIENT:.0%} of the score"

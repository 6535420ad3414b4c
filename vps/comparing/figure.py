"""The picture of a change: the object, both maps, and what to hide."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from vps.comparing.maps import BothMaps
from vps.core.images import OpenedImage
from vps.core.pictures import drawable
from vps.engine import attribution
from vps.report.figures.explanation import write_figure
from vps.report.figures.letters import lettered, shortened
from vps.report.figures.panels import (
    SMALL,
    VERMILLION,
    draw_box,
    draw_detection,
    draw_map,
    draw_outline,
    greyed,
    show,
)
from vps.report.tables.plot_style import new_figure
from vps.results.answer import RegionSet
from vps.results.sentences import as_percent

_WIDTH = 9.6  # inches
_LETTERS = 30  # of a name above a map


def save_change_figure(
    maps: BothMaps, image: OpenedImage, path: str | PathLike[str], names: tuple[str, str]
) -> Path:
    """Write the picture of a change as png, pdf or svg, by the suffix of the path.

    Left to right: the target; the map of A and that of B, with the regions outlined whose evidence
    differs most; what to hide so that the detector that fails says what the other says.

    Args:
        maps: what is drawn.
        image: what both looked at.
        path: of the picture.
        names: of A and B.

    Raises:
        OutputError: the file cannot be written.
    """
    size = maps.first.image_size
    pixels = drawable(image.pixels, size, "the comparison is of")
    ratio = size[0] / size[1]
    figure, axes = new_figure(4, min(_WIDTH / 4 * ratio, 4) + 0.4, width=_WIDTH)
    draw_detection(axes[0], maps.answer.explanation, pixels)
    _title(axes[0], "Asked about")
    drawn = zip("AB", names, axes[1:3], (maps.first, maps.second), strict=True)
    for letter, name, panel, explanation in drawn:
        draw_map(panel, explanation, pixels)
        changed = np.isin(
            attribution.resized(explanation.label_map, pixels.shape[:2]),
            [one.region for one in maps.moved],
        )
        draw_outline(panel, changed, size, VERMILLION, 1.0)
        _title(panel, f"{letter}: {end_of_name(name)}")
    repair = maps.answer.repair
    if repair is None or not repair.regions:
        axes[3].set_axis_off()
    else:
        _draw_hidden(axes[3], maps, repair, pixels)
    return write_figure(figure, path, 160)


def _draw_hidden(axes: Axes, maps: BothMaps, repair: RegionSet, image: np.ndarray) -> None:
    explanation = maps.answer.explanation
    inside = np.isin(
        attribution.resized(explanation.label_map, image.shape[:2]), list(repair.regions)
    )
    faded = (0.35 * greyed(image) + 0.6)[..., None]
    show(axes, np.where(inside[..., None], faded, image / 255), explanation.image_size)
    draw_outline(axes, inside, explanation.image_size, VERMILLION, 1.2)
    draw_box(axes, explanation.target.box, width=0.8)
    _title(axes, f"Hide {as_percent(repair.area)} for {maps.failing}")


def end_of_name(name: str) -> str:
    """The end of a detector's name, for there the paths of two checkpoints differ."""
    return shortened(lettered(name).text[::-1], _LETTERS)[::-1]


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=SMALL + 1, fontweight="bold", pad=4)

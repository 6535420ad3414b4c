"""A film of an order: what is shown and hidden at each step, and what the detector then finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from vps.core.extras import require
from vps.core.images import AnyImage
from vps.core.pictures import drawable
from vps.errors import InputError, OutputError, one_line
from vps.report.figures.letters import fit_letters, shortened
from vps.report.figures.panels import GREY, SMALL, draw_box, draw_curves, show
from vps.report.figures.steps import ShownOrHidden, step_pixels
from vps.results.explanation import Explanation

_WIDTH, _MARGIN, _GAP, _TITLE, _BELOW = 7.2, 0.06, 0.12, 0.24, 0.36  # inches
_CURVES, _AXIS = 1.9, 0.42
_LOWEST, _HIGHEST = 1.2, 3.0
_MOST_A_SECOND = 25
_HELD = 1.0  # seconds that the last picture stays


def save_animation(
    explanation: Explanation,
    image: AnyImage,
    path: str | PathLike[str],
    *,
    seconds: float = 8.0,
    dpi: int = 120,
) -> Path:
    """Write the film of an order; see `vps.results.explanation.Explanation.animate`.

    Raises:
        InputError: an image that cannot be read or of another size, a suffix that is none of a
            film, or no length.
        OutputError: a path that cannot be written.
        MissingExtraError: an .mp4 without the extra "video".
    """
    path = Path(path)
    if not seconds > 0:
        raise InputError(f"a film takes more than 0 seconds, got {seconds}")
    if path.suffix.lower() not in _WRITERS:
        raise InputError(f"a film is a .gif or an .mp4, got {path.name}")
    write = _WRITERS[path.suffix.lower()]
    pixels = drawable(image, explanation.image_size, "the explanation is of")
    film = _Film(explanation, pixels, dpi)
    steps = _steps(len(explanation.order), seconds)
    rate = len(steps) / seconds
    held = [*steps, *steps[-1:] * round(_HELD * rate)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, (film.frame(step) for step in held), rate)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {one_line(error)}") from error
    return path


def _steps(regions: int, seconds: float) -> list[int]:
    """The steps 0..m that are shown: all, unless they are too many for the eye."""
    count = min(regions + 1, max(int(seconds * _MOST_A_SECOND), 2))
    steps: list[int] = np.linspace(0, regions, count).round().astype(int).tolist()
    return steps


def _write_gif(path: Path, frames: Iterable[np.ndarray], rate: float) -> None:
    frames = iter(frames)
    start = Image.fromarray(next(frames))
    # One palette for all, of a picture that holds the whole image: each its own takes seconds.
    first = start.quantize(256, Image.Quantize.FASTOCTREE)
    rest = [
        Image.fromarray(one).quantize(palette=first, dither=Image.Dither.NONE) for one in frames
    ]
    first.save(path, save_all=True, append_images=rest, duration=1000 / rate, loop=0)


def _write_mp4(path: Path, frames: Iterable[np.ndarray], rate: float) -> None:
    ffmpeg = require("imageio_ffmpeg", extra="video")
    frames = iter(frames)
    first = next(frames)
    size = first.shape[1], first.shape[0]
    writer = ffmpeg.write_frames(str(path), size, fps=rate, macro_block_size=2)
    writer.send(None)
    for frame in itertools.chain([first], frames):
        writer.send(np.ascontiguousarray(frame))
    writer.close()


_WRITERS = {".gif": _write_gif, ".mp4": _write_mp4}


class _Film:
    """Three panels, drawn once; a step draws over them what it changes."""

    def __init__(self, explanation: Explanation, image: np.ndarray, dpi: int) -> None:
        self._explanation, self._image = explanation, image
        aspect = image.shape[1] / image.shape[0]
        wide = (_WIDTH - 2 * _MARGIN - 3 * _GAP - _AXIS - _CURVES) / 2
        height = float(np.clip(wide / aspect, _LOWEST, _HIGHEST))
        total = _TITLE + height + _BELOW
        # An even number of pixels, as films want it.
        size = 2 * np.ceil(np.array([_WIDTH, total]) * dpi / 2) / dpi
        figure = Figure(figsize=tuple(size), dpi=dpi, facecolor="white")
        self._canvas = FigureCanvasAgg(figure)
        low, high = _BELOW / total, height / total
        lefts = (_MARGIN, _MARGIN + wide + _GAP, _WIDTH - _MARGIN - _GAP - _CURVES)
        panels = [
            figure.add_axes((left / _WIDTH, low, width / _WIDTH, high))
            for left, width in zip(lefts, (wide, wide, _CURVES), strict=True)
        ]
        self._seen = [
            _Seen(panels[0], explanation, "shown"),
            _Seen(panels[1], explanation, "hidden"),
        ]
        self._curves = panels[2]
        draw_curves(self._curves, explanation)
        self._line = self._curves.axvline(0, color=GREY, linewidth=0.9, animated=True)
        label = shortened(explanation.target.label, 60)
        place = (_MARGIN / _WIDTH, 0.1 / total)
        self._text = figure.text(
            *place, label, fontsize=SMALL + 0.5, color=GREY, parse_math=False, animated=True
        )
        self._label = label
        fit_letters(figure)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)

    def frame(self, step: int) -> np.ndarray:
        """(H, W, 3) uint8 of step k of the order."""
        explanation, figure = self._explanation, self._canvas.figure
        share = float(explanation.areas[step])
        parts = "pixel steps" if explanation.by_pixels else "regions"
        of = f"{step} of {len(explanation.order)} {parts}, {share:.0%} of the area"
        self._text.set_text(f"{self._label}: {of}")
        self._line.set_xdata([100 * share, 100 * share])
        self._canvas.restore_region(self._still)
        for seen in self._seen:
            seen.draw(step, self._image)
        self._curves.draw_artist(self._line)
        figure.draw_artist(self._text)
        return np.array(self._canvas.buffer_rgba())[..., :3]


class _Seen:
    """One of the two images: what is shown, or what is left."""

    def __init__(self, axes: Axes, explanation: Explanation, side: ShownOrHidden) -> None:
        self._axes, self._explanation, self._side = axes, explanation, side
        shown = side == "shown"
        self._curve = explanation.insertion if shown else explanation.deletion
        self._boxes = explanation.insertion_boxes if shown else explanation.deletion_boxes
        show(axes, np.zeros((1, 1, 3)), explanation.image_size)
        self._picture = axes.images[0]
        self._box = draw_box(axes, explanation.target.box)
        self._title = axes.set_title("", loc="left", fontsize=SMALL + 1, fontweight="bold", pad=4)
        for artist in (self._picture, self._box, self._title):
            artist.set_animated(True)

    def draw(self, step: int, image: np.ndarray) -> None:
        self._picture.set_data(step_pixels(self._explanation, image, step, self._side))
        x1, y1, x2, y2 = (float(value) - 0.5 for value in self._boxes[step])
        self._box.set_bounds(x1, y1, x2 - x1, y2 - y1)
        self._box.set_visible(bool(self._curve[step] > 0))
        self._title.set_text(f"{step} {self._side}: {self._curve[step]:.2f}")
        for artist in (self._picture, self._box, self._title):
            self._axes.draw_artist(artist)

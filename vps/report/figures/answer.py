"""The figure of an answer: before, what is hidden, after."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vps.core.images import AnyImage
from vps.core.pictures import drawable
from vps.engine import attribution
from vps.report.figures.explanation import save_figure, write_figure
from vps.report.figures.letters import fit_letters, latin_note, shortened, wrapped
from vps.report.figures.panels import (
    GREY,
    ORANGE,
    SMALL,
    VERMILLION,
    draw_box,
    draw_label,
    draw_outline,
    fill_of,
    greyed,
    show,
)
from vps.report.figures.word_row import WordRow
from vps.results.answer import Answer, RegionSet
from vps.results.sentences import as_percent

_WIDTH, _MARGIN, _GAP, _TITLE, _LINE, _BETWEEN = 7.2, 0.06, 0.12, 0.22, 0.14, 0.08  # inches
_LOWEST, _HIGHEST = 0.6, 2.8
_CHARACTERS = 19.0  # that fit into an inch
_LETTERS = 26  # of a label at a box


def draw_answer(answer: Answer, image: AnyImage) -> Figure:
    """Draw an answer as three panels in a row, with its sentence below.

    Of a failure: before, with the target's box, dashed where the detector has none there, or has
    another; the regions to hide, `repair`, outlined; and after, the image as the detector then sees
    it, with the box that it finds. Without such a set, it is the one that is shown alone, `best` or
    `sufficient`. Of a detection, right or on nothing: before; what suffices, shown alone; and
    without what is necessary. The words of a phrase come below the panels, see
    `vps.report.figures.word_row.WordRow`.

    Args:
        answer: what is drawn.
        image: that was explained, in whatever form.

    Raises:
        InputError: an image that cannot be read, or of another size than what was explained.
    """
    image = drawable(image, answer.explanation.image_size, "the answer is about")
    aspect = image.shape[1] / image.shape[0]
    width = (_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
    height = float(np.clip(width / aspect, _LOWEST, _HIGHEST))
    wide = height * aspect if height < width / aspect else width
    lines = _wrapped(answer)
    row = None if answer.words is None else WordRow(answer.words, _WIDTH - 2 * _MARGIN)
    below = 0.0 if row is None else row.height + _BETWEEN
    total = _WIDTH, _TITLE + height + below + 0.1 + _LINE * len(lines)
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
    _draw_before(panels[0], answer, image)
    _draw_sets(panels[1], panels[2], answer, image)
    if row is not None:
        across = (_WIDTH - 2 * _MARGIN) / total[0]
        bottom = low - (_BETWEEN + row.height) / total[1]
        row.draw(figure.add_axes((_MARGIN / total[0], bottom, across, row.height / total[1])))
    figure.text(
        _MARGIN / total[0],
        low - (below + 0.05) / total[1],
        "\n".join(lines),
        fontsize=SMALL + 0.5,
        va="top",
        color=GREY,
        linespacing=1.25,
        parse_math=False,
    )
    fit_letters(figure)
    return figure


def save_answer_figure(
    answer: Answer, image: AnyImage, path: str | PathLike[str], *, dpi: int = 200
) -> Path:
    """Draw an answer and write it as png, pdf or svg, by the suffix of `path`.

    Args, Raises:
        as for `vps.report.figures.explanation.save_figure`.
    """
    return write_figure(draw_answer(answer, image), path, dpi)


def _wrapped(answer: Answer) -> list[str]:
    """The lines below the panels: the sentence, and what has to be said of its letters."""
    sentence, columns = answer.sentence(), int(_WIDTH * _CHARACTERS)
    said = [answer.target.label, *([] if answer.rival is None else [answer.rival.label])]
    latin = latin_note(said)
    notes = wrapped(f"! {latin}", columns) if latin else []
    return wrapped(sentence[0].upper() + sentence[1:] + ".", columns) + notes


def save_figures(answer: Answer, image: AnyImage, path: str | PathLike[str], suffix: str) -> Path:
    """Draw an answer, <path>_answer.<suffix>, and the explanations that belong to it.

    These are <path>.<suffix> of the target, and <path>_rival.<suffix> where it has a rival: what
    speaks for the one, and for the other. The arrays that `Answer.save` writes have the same names.

    Returns:
        The path of the answer's figure.

    Raises:
        InputError, OutputError: as for `save_answer_figure`.
    """
    path = Path(path)
    save_figure(answer.explanation, image, path.with_name(f"{path.name}.{suffix}"))
    if answer.rival_explanation is not None:
        rival = path.with_name(f"{path.name}_rival.{suffix}")
        save_figure(answer.rival_explanation, image, rival)
    return save_answer_figure(answer, image, path.with_name(f"{path.name}_answer.{suffix}"))


def _draw_sets(middle: Axes, right: Axes, answer: Answer, image: np.ndarray) -> None:
    """The second and the third panel; a set without regions would show nothing."""
    alone, without = answer.sufficient, answer.repair or answer.necessary
    if answer.kind.traits.own_box and alone and alone.regions and without:
        _draw_seen(middle, answer, alone, image, f"Shown alone: {as_percent(alone.area)}")
        _draw_seen(right, answer, without, image, f"Hidden: {as_percent(without.area)}")
        return
    chosen = next((one for one in (without, answer.best, alone) if one and one.regions), None)
    if chosen is None:
        middle.set_axis_off()
        right.set_axis_off()
        return
    _draw_set(middle, answer, chosen, image)
    _draw_seen(right, answer, chosen, image, "After")


def _draw_before(axes: Axes, answer: Answer, image: np.ndarray) -> None:
    size, before, rival = answer.explanation.image_size, answer.before, answer.rival
    show(axes, image, size)
    ours, theirs = _names(answer)
    # Of a candidate that is called something else where there is no detection of it.
    score = before.found_score if answer.found_at_once else before.class_score
    text, found = f"{ours} {score:.2f}", answer.found_at_once
    if rival is not None:
        label = f"{theirs} {before.rival_found:.2f}"
        if rival.box == answer.target.box:
            text, found = f"{label}, {text}", True
        else:
            found = found and not answer.kind.traits.rival
            draw_box(axes, rival.box, colour="white")
            draw_label(axes, rival.box, label, size)
    draw_box(axes, answer.target.box, dashed=not found)
    draw_label(axes, answer.target.box, text, size)
    _title(axes, "Before")


def _names(answer: Answer) -> tuple[str, str]:
    """What the target and its rival are called at their boxes."""
    ours = shortened(answer.target.label, _LETTERS)
    theirs = "" if answer.rival is None else shortened(answer.rival.label, _LETTERS)
    return ("true", "detected") if answer.kind.traits.rival and ours == theirs else (ours, theirs)


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
    draw_outline(axes, inside, size, VERMILLION, 1.2)
    draw_box(axes, answer.target.box, width=0.8)
    verb = "hidden" if found.hidden else "shown alone"
    _title(axes, f"What is {verb}: {as_percent(found.area)}")


def _draw_seen(axes: Axes, answer: Answer, found: RegionSet, image: np.ndarray, title: str) -> None:
    """What the detector sees with a set hidden, or shown alone, and the box that it finds."""
    size = answer.explanation.image_size
    inside = _members(answer, found, image.shape[:2])
    shown = ~inside if found.hidden else inside
    show(axes, np.where(shown[..., None], image / 255, fill_of(answer.explanation, image)), size)
    seen = found.found_score >= answer.threshold
    ours, theirs = _names(answer)
    text = f"{ours} {found.found_score:.2f}" if seen else f"{ours} not found"
    if answer.kind.traits.rival:
        text += f", {theirs} {found.rival_found:.2f}"
    elif not seen and found.other_label is not None and found.other_score >= answer.threshold:
        text += f", {shortened(found.other_label, _LETTERS)} {found.other_score:.2f}"
    box = found.found_box if seen else answer.target.box
    draw_box(axes, box, colour=ORANGE, dashed=not seen)
    draw_label(axes, box, text, size)
    _title(axes, title)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=SMALL + 1, fontweight="bold", pad=4)

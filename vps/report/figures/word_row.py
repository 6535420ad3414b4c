"""The words of a phrase as a row of chips: how much each matters, and what happens without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from vps.core.images import AnyImage
from vps.report.figures.letters import fit_letters, lettered, wrapped
from vps.report.figures.panels import GREY, SMALL, VERMILLION, coloured
from vps.results.word_answer import ARTICLES, ELSEWHERE, LOST, RIGHT, TOLERANCE, Word, WordAnswer

# In inches.
_HEAD, _CHIP, _NOTE, _GAP, _PADDING, _BETWEEN = 0.2, 0.19, 0.14, 0.06, 0.06, 0.08
_PAGE, _EDGE = 7.2, 0.06
_CHARACTERS = 19.0  # that fit into an inch
_NOTES = {RIGHT: "right box", ELSEWHERE: "another box", LOST: "no box"}
_IDLE = "#999999"


@dataclass(frozen=True)
class _Chip:
    """Where the word with a place in the phrase is drawn: the left end and top, in inches."""

    place: int
    left: float
    top: float
    width: float


class WordRow:
    """A row of chips, or several where the phrase is long.

    Each word is on a chip, tinted by its importance as heat maps are; a word that is ignored, and
    no article, is struck through, and those whose hiding grounds the phrase right are outlined.
    Below it stands the score of the box without the word, or where the phrase is then grounded
    instead.

    Args:
        words: what is drawn.
        width: in inches.

    Attributes:
        height: that it takes, in inches.
    """

    def __init__(self, words: WordAnswer, width: float) -> None:
        self._words, self._width = words, width
        self._chips: list[_Chip] = []
        self._struck = [place for place in words.ignored if words.words[place].text not in ARTICLES]
        left, top = 0.0, _HEAD
        for place, word in enumerate(words.words):
            wide = max(_width(word.text, SMALL + 1), _width(_note(word), SMALL - 0.5))
            wide += 2 * _PADDING
            if left and left + wide > width:
                left, top = 0.0, top + _CHIP + _NOTE + _BETWEEN
            self._chips.append(_Chip(place, left, top, wide))
            left += wide + _GAP
        self.height = top + _CHIP + _NOTE

    def draw(self, axes: Axes) -> None:
        """Draw into axes of this row's width and height."""
        axes.set(xlim=(0, self._width), ylim=(self.height, 0))
        axes.set_axis_off()
        axes.text(0, 0.02, "Words", fontsize=SMALL + 1, fontweight="bold", va="top")
        indent = _width("Words", SMALL + 1) * 1.12 + _GAP
        axes.text(indent, 0.02, self._caption(), fontsize=SMALL + 0.5, va="top", color=GREY)
        scores = np.array([word.importance for word in self._words.words])
        # Where nothing matters, nothing should look as if it did.
        tints = coloured(scores / max(scores.max(), TOLERANCE), 1.0)
        for chip in self._chips:
            self._draw(axes, chip, tints[chip.place])

    def _caption(self) -> str:
        words = self._words
        box = "box" if words.right else "wrong box"
        text = f"the score of the {box} without each ({words.said_score:.2f} with all)"
        text += "; yellow matters most"
        text += "; struck through: ignored" if self._struck else ""
        return text + ("; outlined: hide these and it is right" if words.repair else "")

    def _draw(self, axes: Axes, chip: _Chip, tint: np.ndarray) -> None:
        word = self._words.words[chip.place]
        ignored = chip.place in self._struck
        repair = self._words.repair is not None and chip.place in self._words.repair.words
        axes.add_patch(
            FancyBboxPatch(
                (chip.left, chip.top),
                chip.width,
                _CHIP,
                boxstyle="round,pad=0,rounding_size=0.04",
                facecolor="white" if ignored else tint,
                edgecolor=VERMILLION if repair else "#BBBBBB",
                linewidth=1.4 if repair else 0.5,
                clip_on=False,
            )
        )
        middle = chip.left + chip.width / 2
        line = chip.top + _CHIP / 2
        axes.text(
            middle,
            line,
            word.text,
            fontsize=SMALL + 1,
            ha="center",
            va="center_baseline",
            color=_IDLE if ignored else "black",
            parse_math=False,
        )
        if ignored:
            half = _width(word.text, SMALL + 1) / 2 + 0.02
            axes.plot([middle - half, middle + half], [line, line], color=_IDLE, linewidth=0.8)
        axes.text(
            middle,
            chip.top + _CHIP + 0.02,
            _note(word),
            fontsize=SMALL - 0.5,
            ha="center",
            va="top",
            color=VERMILLION if word.lands in _NOTES else GREY,
        )


def draw_words(words: WordAnswer, image: AnyImage | None = None) -> Figure:
    """The row as a figure of its own, with the answer's sentence below.

    Args:
        words: what is drawn.
        image: of no use: words are about a phrase.
    """
    row = WordRow(words, _PAGE - 2 * _EDGE)
    sentence = words.sentence()
    lines = wrapped(f"{sentence[0].upper()}{sentence[1:]}.", int(_PAGE * _CHARACTERS))
    height = row.height + 3 * _EDGE + _NOTE * len(lines)
    figure = Figure(figsize=(_PAGE, height), facecolor="white")
    FigureCanvasAgg(figure)
    across = (_PAGE - 2 * _EDGE) / _PAGE
    low = (height - _EDGE - row.height) / height
    row.draw(figure.add_axes((_EDGE / _PAGE, low, across, row.height / height)))
    figure.text(
        _EDGE / _PAGE,
        low - _EDGE / height,
        "\n".join(lines),
        fontsize=SMALL + 0.5,
        va="top",
        color=GREY,
        linespacing=1.25,
        parse_math=False,
    )
    fit_letters(figure)
    return figure


def _note(word: Word) -> str:
    """What happens without a word, in two words at the most."""
    return _NOTES.get(word.lands, f"{word.said_score:.2f}")


def _width(text: str, size: float) -> float:
    """The width of a text in inches, set in so many points."""
    drawn = lettered(text)
    path = TextPath((0, 0), drawn.text.replace("$", r"\$"), size=size, prop=drawn.font)
    return float(path.get_extents().width) / 72

"""Letters of any script in pictures: in a font that has them, or else in Latin letters.

matplotlib's own font has the letters of European scripts. Others are looked for in the fonts of the
system. What no font has is transliterated, for an empty box tells nothing, and the picture says so.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import matplotlib
from anyascii import anyascii
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

_SHAPED = matplotlib.__version_info__ >= (3, 11)
"""Whether matplotlib joins letters and turns round what is written from right to left."""

_PLAIN = ("Regular", "Book", "Medium", "Normal", "Roman")
_NO_LETTERS = re.compile("last ?resort|blank", re.IGNORECASE)
"""Fonts with a box, or nothing, for whatever there is."""

_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60"
    "\U0001f300-\U0001faff\U00020000-\U0003ffff]"
)


class Lettering(NamedTuple):
    """How a text is drawn.

    Attributes:
        text: what is drawn: as it is, or with Latin letters where no font has its own.
        families: fonts that have its letters, matplotlib's own first.
        latin: whether letters were replaced.
    """

    text: str
    families: tuple[str, ...]
    latin: bool

    @property
    def font(self) -> FontProperties:
        """The fonts as matplotlib takes them."""
        return FontProperties(family=list(self.families))


@cache
def lettered(text: str) -> Lettering:
    """How a text is drawn with the fonts of this computer.

    >>> lettered("caf\u00e9").text
    'caf\u00e9'
    """
    own, families = _open_font(findfont(FontProperties())), list(FontProperties().get_family())
    missing = {letter for letter in text if not _has(own, letter)}
    while found := _best_font({letter for letter in missing if _upright(letter)}):
        family, letters = found
        families.append(family)
        missing -= letters
    drawn = "".join(_latin(letter) if letter in missing else letter for letter in text)
    return Lettering(drawn, tuple(families), any(map(_latin, missing)))


def latin_note(texts: Iterable[str]) -> str:
    """What a picture with these texts says of letters that no font has; "" where all are drawn."""
    drawn = [lettered(text).text for text in dict.fromkeys(texts) if lettered(text).latin]
    if not drawn:
        return ""
    return (
        f"{', '.join(map(repr, drawn))}: Latin letters in place of those of the label, which no "
        "font of this computer has; install one that does, e.g. Noto Sans CJK"
    )


def fit_letters(figure: Figure) -> None:
    """Have every text of a figure drawn as `lettered` says."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        found = lettered(text.get_text())
        if found.text != text.get_text() or len(found.families) > 1:
            text.set_text(found.text)
            text.set_fontfamily(list(found.families))


def wrapped(text: str, columns: int, **settings: object) -> list[str]:
    """Lines of a text; a wide letter takes two columns, and a number stays beside its "%".

    Args:
        text: to be drawn.
        columns: of a line.
        settings: of `textwrap.wrap`.
    """
    text = _WIDE.sub("\\g<0>\x00", lettered(text).text.replace(" %", "\u00a0%"))
    lines = textwrap.wrap(text, columns, **settings)  # type: ignore[arg-type]
    return [line.replace("\x00", "") for line in lines]


def shortened(text: str, columns: int) -> str:
    """The text as it is drawn, cut in the middle of nowhere if it must be, with an ellipsis."""
    text = lettered(text).text
    if columns_of(text) <= columns:
        return text
    while columns_of(text) >= columns:
        text = text[:-1]
    return text.rstrip() + "\u2026"


def columns_of(text: str) -> int:
    """How wide a text is, in Latin letters."""
    return len(text) + len(_WIDE.findall(text))


def _latin(letter: str) -> str:
    return str(anyascii(letter))


def _upright(letter: str) -> bool:
    return _SHAPED or unicodedata.bidirectional(letter) not in ("R", "AL")


def _best_font(letters: set[str]) -> tuple[str, frozenset[str]] | None:
    """The font that has most of some letters, and which; None if none has any."""
    best: tuple[str, frozenset[str]] | None = None
    for family, font in _system_fonts() if letters else ():
        has = frozenset(letter for letter in letters if _has(font, letter))
        if has and (best is None or len(has) > len(best[1])):
            best = family, has
        if len(has) == len(letters):
            break
    return best


@cache
def _font_files() -> tuple[str, ...]:
    """The fonts of the system, of which matplotlib may have an old list; plain ones first."""
    known = {entry.fname for entry in fontManager.ttflist}
    paths = sorted({*findSystemFonts(), *known})
    return tuple(sorted(paths, key=lambda path: not any(word in path for word in _PLAIN)))


def _system_fonts() -> Iterator[tuple[str, FT2Font]]:
    known = {entry.fname for entry in fontManager.ttflist}
    for path in _font_files():
        font = _open_font(path)
        if font is None or not font.scalable or _NO_LETTERS.search(font.family_name):
            continue
        if path not in known:
            fontManager.addfont(path)
        yield font.family_name, font


@cache
def _open_font(path: str) -> FT2Font | None:
    try:
        return FT2Font(path)
    except (OSError, RuntimeError):
        return None


def _has(font: FT2Font | None, letter: str) -> bool:
    """Whether a font has a letter, or needs none for it; some have places without an outline."""
    if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf"):
        return True
    if font is None or not font.get_char_index(ord(letter)):
        return False
    try:
        font.set_size(10, 72)
        glyph = font.load_char(ord(letter))
    except (OSError, RuntimeError):
        return False
    return bool(glyph.width and glyph.height)

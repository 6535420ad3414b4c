"""Names that people give, as a part of Markdown, LaTeX and CSV: they stay text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

# Between letters, an underscore is no emphasis; elsewhere, an ampersand begins no entity.
_MARKDOWN = re.compile(r"[\\`*\[\]<|~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\u2264": r"$\leq$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}

# The last four are what an East Asian spreadsheet takes for the first four.
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def markdown_text(text: str) -> str:
    """A text that shows as it is, in one line: no markup, no cell of its own."""
    return _MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def latex_text(text: str) -> str:
    """A text that shows as it is, in one line: no command, no formula."""
    return "".join(_LATEX.get(character, character) for character in _one_line(text))


def csv_value(value: Any) -> Any:
    """A value that no spreadsheet runs: what would be a formula gets an apostrophe in front.

    A text is one line: after a break, its rest could be taken for a row of its own. Numbers stay
    what they are.
    """
    if not isinstance(value, str):
        return value
    text = _BREAKS.sub(" ", value)
    return f"'{text}" if text.lstrip().startswith(_FORMULAS) else text


def csv_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A small table as CSV; None and NaN are empty cells, texts as by `csv_value`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow("" if cell is None or cell != cell else csv_value(cell) for cell in row)
    return text.getvalue()


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)

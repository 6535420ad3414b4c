"""Examples in docstrings as code on the documentation site; an extension of griffe."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension

_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Examples(Extension):
    """Puts each example of a docstring between fences, which Markdown takes for a quotation."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Change the docstring of an object once it is read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """The docstring with fences around each example, which ends at an empty line."""
    return _EXAMPLE.sub(lambda example: f"```pycon\n{example[0]}\n```", text)

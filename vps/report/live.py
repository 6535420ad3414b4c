"""A picture in a notebook's cell that grows while a search runs."""

from __future__ import annotations

import dataclasses
import time
import warnings
from typing import Any

from vps.core.extras import require
from vps.results.explanation import Explanation


class LiveDisplay:
    """Redraws what is known so far, below the cell.

        explain(detector, image, found, on_update=LiveDisplay())

    Args:
        seconds: the least between two pictures; to draw one takes a moment of the search's time.

    Raises:
        MissingExtraError: there is no IPython, so that this is no notebook.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self._display = require("IPython.display", extra="notebook")
        self._seconds = seconds
        self._last = float("-inf")
        self._handle: Any = None

    def __call__(self, found: Explanation | list[Explanation]) -> None:
        """Show an explanation, or the first of several, unless the last picture is too new."""
        if time.monotonic() - self._last < self._seconds:
            return
        one = found[0] if isinstance(found, list) else found
        # That it is not at its end need not be said.
        one = dataclasses.replace(one, warnings=()).with_image(one.image)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._handle is None:
                self._handle = self._display.display(one, display_id=True)
            else:
                self._handle.update(one)
        self._last = time.monotonic()

"""What the page does, without the page: looks at images and answers questions, one at a time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from vps.app.asking import How, Question, answer
from vps.app.detector import HeldDetector, hides_words
from vps.app.downloads import write_files
from vps.app.images import ChosenImage, ImageSource, page_reading, uploaded
from vps.app.pictures import address, page_pixels
from vps.app.recipes import AskedOnPage
from vps.app.turns import Turn, Turns
from vps.app.visits import Visit, Visits
from vps.core.detect import detect
from vps.core.detector import Detector
from vps.core.numbers import check_range
from vps.errors import InputError, VpsError, one_line

Choose = Callable[[Detector], ChosenImage]
"""Gives the image once the detector that is to see it is there."""


class Workbench:
    """One detector in memory, one computation at a time, and what each visitor has found out.

    Args:
        held: the detectors.
        source: the images that the page lists.
        folder: for the files of downloads.
        max_pixels: the most that an image may have.
    """

    def __init__(
        self, held: HeldDetector, source: ImageSource, folder: Path, max_pixels: int
    ) -> None:
        self.held, self.source, self.folder = held, source, folder
        self.turns, self.visits = Turns(), Visits()
        self._reading = page_reading(max_pixels)

    def listed(self, name: str) -> Choose:
        """An image of the list."""
        return lambda detector: self.source.choose(name, detector)

    @staticmethod
    def sent(path: str) -> Choose:
        """A file that a visitor has sent."""
        return lambda detector: uploaded(path)

    def look(
        self, visit: Visit, choose: Choose, detector: str, prompt: str | None, threshold: float
    ) -> Turn:
        """Let a detector look at an image; what it finds is the visit's then.

        Raises:
            InputError: a threshold out of range, or too many are waiting.
        """
        check_range("threshold", threshold, high=1)

        def work(turn: Turn) -> None:
            loaded = self.held.get(detector, prompt)
            chosen = choose(loaded)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = chosen.opened(loaded, self._reading)
            found = detect(loaded, image, threshold)
            start = time.perf_counter()
            detect(loaded, image, threshold)  # once more, now that all is in its place
            pixels = page_pixels(image.pixels)
            visit.chosen, visit.image, visit.pixels = chosen, image, pixels
            visit.source = address(pixels)
            visit.detector, visit.prompt, visit.threshold = detector, prompt, threshold
            visit.found, visit.labels = tuple(found), tuple(loaded.labels)
            visit.words = hides_words(loaded, loaded.labels)
            visit.pass_seconds = time.perf_counter() - start
            visit.number, visit.drawn, visit.drawing, visit.answered = None, None, False, []

        return self._next(visit, work)

    def ask(self, visit: Visit, question: Question, hows: Sequence[How]) -> Turn:
        """Answer a question, by each of some methods in turn.

        Raises:
            InputError: there is no image yet, the question lacks something, or too many wait.
        """
        if visit.image is None:
            raise InputError("choose an image first")
        question.target(visit.found)
        image, found, threshold = visit.image, visit.found, visit.threshold

        def work(turn: Turn) -> None:
            detector = self.held.get(visit.detector, visit.prompt)
            visit.answered = []
            for how in hows:
                one = answer(detector, image, found, question, how, threshold, turn)
                visit.answered = [*visit.answered, one]
                shown = one.shown
                if shown.passes:
                    visit.pass_seconds = shown.seconds / shown.passes
                if turn.cancelled() or one.failure:
                    break

        return self._next(visit, work)

    def files(self, visit: Visit) -> tuple[Path, Path]:
        """A picture and an archive of what is shown.

        Raises:
            InputError: there is nothing.
            OutputError: they cannot be written.
        """
        if not visit.answered or visit.image is None:
            raise InputError("there is nothing to download yet")
        return write_files(visit.answered, visit.image, self.folder)

    def asked(self, visit: Visit) -> AskedOnPage:
        """What the visit's results came from."""
        assert visit.chosen is not None
        choices = self.held.choices
        settings = dict(choices.options)
        settings |= {} if choices.device == "cpu" else {"device": choices.device}
        settings |= {} if choices.dtype == "float32" else {"dtype": choices.dtype}
        return AskedOnPage(
            visit.chosen, visit.detector, visit.prompt, visit.threshold, settings, visit.found
        )

    def _next(self, visit: Visit, work: Callable[[Turn], None]) -> Turn:
        """Of one visitor, the last thing asked for counts."""
        visit.stop()
        visit.turn = self.turns.submit(work)
        return visit.turn


def told(error: BaseException) -> str:
    """What a visitor reads of an error."""
    if isinstance(error, VpsError):
        return one_line(error)
    return f"something went wrong: {type(error).__name__}: {one_line(error)}"

"""What commands read: the detector and the image."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vps.cli.choices import DEMO_DETECTOR
from vps.cli.output import assumptions_noted
from vps.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from vps.core.detector import Detector
    from vps.core.images import ImageReading, OpenedImage

_OTHERWISE = ("name", "labels", "prompt", "device", "dtype")  # set by options of their own


@dataclass(frozen=True)
class ImageChoice:
    """The image that a user asks about.

    Attributes:
        path: of its file.
        exif, max_pixels: see `vps.core.images.ImageReading`.
    """

    path: Path
    exif: str = "applied"
    max_pixels: int | None = None

    def reading(self) -> ImageReading:
        """How it is read; InputError for settings that do not exist."""
        from vps.core.images import ImageReading

        return ImageReading(self.exif, self.max_pixels)


@dataclass(frozen=True)
class DetectorChoice:
    """The detector that a user asks for.

    Attributes:
        name: as for `detectors.load`.
        prompt, device, dtype: likewise.
        options: of its kind, as NAME=VALUE.
        threshold: the lowest score of a detection.
    """

    name: str = DEMO_DETECTOR
    prompt: str | None = None
    device: str = "cpu"
    dtype: str = "float32"
    options: Sequence[str] = ()
    threshold: float = 0.3

    def check(self) -> None:
        """Raise InputError for what no detector takes, before one is loaded."""
        from detectors.shared.pixels import choose_dtype

        choose_dtype(self.dtype)
        self._options()
        if not 0 <= self.threshold <= 1:
            raise InputError(f"--threshold must lie in [0, 1], got {self.threshold:g}")

    def load_with(self, image: ImageChoice) -> tuple[Detector, OpenedImage]:
        """The detector, and an image; the image first, for a wrong path is told at once.

        Of a large image, only that it is one: how it is to be read, the detector tells.

        Raises:
            InputError: an image that cannot be read, or a detector that cannot be loaded.
            MissingExtraError: the library that runs the detector is not installed.
        """
        from detectors import load
        from vps.core.images import LARGE, open_image, read_header
        from vps.core.needed import open_for

        reading = image.reading()
        large = read_header(image.path).pixels > LARGE
        opened = None if large else open_image(image.path, reading=reading)
        with assumptions_noted():
            detector = load(
                self.name,
                prompt=self.prompt,
                device=self.device,
                dtype=self.dtype,
                **self._options(),
            )
        opened = opened or open_for(detector, image.path, reading)
        doubt = demo_note(detector, opened.pixels)
        for note in (*opened.notes, *(() if doubt is None else (doubt,))):
            print(f"note: {note}", file=sys.stderr)
        return detector, opened

    def _options(self) -> dict[str, str]:
        options = parse_pairs(self.options, "--option")
        for name in options:
            if name in _OTHERWISE:
                raise InputError(
                    f"{name} is no --option; see --detector, --prompt, --device, --dtype"
                )
        return options


def demo_note(detector: Detector, image: np.ndarray) -> str | None:
    """What to tell of the demo detectors where an image is none of theirs, or a label is not."""
    if not detector.name.startswith("demo-"):
        return None
    from detectors.names import FOR_PHOTOGRAPHS
    from vps.data.scenes.layouts import CATEGORIES, SIZES

    odd = [label for label in detector.labels if label.split()[-1].lower() not in CATEGORIES]
    if not odd and image.shape[:2] in SIZES:
        return None
    known = f"it does not know {odd[0]!r}, but" if odd else "it knows"
    return (
        f"{detector.name} is for the drawn scenes of the demo: {known} {', '.join(CATEGORIES)}; "
        f"{FOR_PHOTOGRAPHS}"
    )


def parse_pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """NAME=VALUE pairs.

    Raises:
        InputError: a text without name or equals sign.
    """
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"{flag} takes NAME=VALUE, got {text!r}")
        pairs[name] = value
    return pairs

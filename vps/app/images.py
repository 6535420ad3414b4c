"""Where the images come from that a visitor can choose: drawn scenes, a folder, a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vps.app.pictures import LONGEST_ON_PAGE
from vps.core.detector import Detector
from vps.core.images import AnyImage, ImageReading, OpenedImage, open_image
from vps.core.needed import needed_by
from vps.core.numbers import check_whole
from vps.core.pictures import smaller
from vps.data.dataset import Dataset
from vps.data.scenes.scenes import make_scene
from vps.demo.cases import SEED
from vps.errors import InputError

_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".ppm")
)
_MOST = 2000  # names that a list in the page holds


@dataclass(frozen=True)
class ChosenImage:
    """An image that a visitor looks at.

    Attributes:
        name: of the file, as results call it.
        image: to be opened.
        path: what to type for the file.
        shell: a line that makes the file, where there is none; "" for none.
        python: the image in Python.
    """

    name: str
    image: AnyImage
    path: str
    shell: str = ""
    python: str = ""

    def opened(self, detector: Detector, reading: ImageReading) -> OpenedImage:
        """As finely as a detector needs it, and the page.

        Raises:
            InputError: it cannot be read, or is too large.
        """

        def needed(size: tuple[int, int]) -> tuple[int, int] | None:
            least = needed_by(detector, size)
            return None if least is None else max(least, smaller(size, LONGEST_ON_PAGE) or size)

        return open_image(self.image, needed, reading)


class ImageSource(Protocol):
    """Images by the names that the page lists.

    Attributes:
        names: in order.
    """

    names: tuple[str, ...]

    def choose(self, name: str, detector: Detector) -> ChosenImage:
        """The image of a name.

        Raises:
            InputError: there is none of that name.
        """
        ...


class DrawnScenes:
    """Scenes of the demo, drawn when they are asked for."""

    def __init__(self, count: int = 12) -> None:
        self.names = tuple(f"scene-{number}.png" for number in range(count))

    def choose(self, name: str, detector: Detector) -> ChosenImage:
        number = _place(name, self.names)
        drawn = f"make_scene({SEED}, {number}).image"
        imported = "from vps.data.scenes.scenes import make_scene"
        shell = (
            f'python -c "from PIL import Image; {imported}; '
            f"Image.fromarray({drawn}).save('{name}')\""
        )
        return ChosenImage(
            name, make_scene(SEED, number).image, name, shell, f"{imported}\n\nimage = {drawn}"
        )


class FolderImages:
    """The image files of a folder, the first 2,000 by name.

    Raises:
        InputError: it is no folder, or has none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder of images")
        self.names = tuple(sorted(_image_names(folder)))[:_MOST]
        if not self.names:
            raise InputError(f"{folder} holds no image files ({', '.join(sorted(_SUFFIXES))})")

    def choose(self, name: str, detector: Detector) -> ChosenImage:
        _place(name, self.names)
        path = self._folder / name
        return ChosenImage(name, path, str(path), python=f"image = {str(path)!r}")


class DatasetImages:
    """The images of a data set, the first 2,000."""

    def __init__(self, dataset: Dataset, images: Path) -> None:
        self._dataset, self._images = dataset, images
        ids = dataset.image_ids[:_MOST]
        self._ids = {f"{one}: {dataset.picture_name(one)}": one for one in ids}
        self.names = tuple(self._ids)
        if not self.names:
            raise InputError(f"the data set {dataset.name} has no images")

    def choose(self, name: str, detector: Detector) -> ChosenImage:
        _place(name, self.names)
        sample = self._dataset.find(self._ids[name], lambda size: needed_by(detector, size))
        opened = OpenedImage(sample.image, sample.size, sample.name)
        path = self._images / self._dataset.picture_name(self._ids[name])
        return ChosenImage(sample.name or name, opened, str(path), python=f"image = {str(path)!r}")


def uploaded(path: str) -> ChosenImage:
    """A file that a visitor has sent."""
    name = Path(path).name
    return ChosenImage(name, Path(path), name, python=f"image = {name!r}")


def page_reading(max_pixels: int) -> ImageReading:
    """How files are read on the page: none with more pixels than that."""
    check_whole("max_pixels", max_pixels, 1, 1 << 40)
    return ImageReading(max_pixels=max_pixels)


def _image_names(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            yield path.name


def _place(name: str, names: tuple[str, ...]) -> int:
    """Where a name stands in a list; what a browser sends may be any text."""
    if name not in names:
        raise InputError("there is no such image in the list")
    return names.index(name)

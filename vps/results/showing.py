"""How results show themselves: in a notebook, in a window, as a figure that one can change."""

from __future__ import annotations

import base64
import html
import importlib
import io
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from PIL import Image, ImageShow

from vps.core.images import AnyImage, OpenedImage
from vps.core.notebooks import in_notebook
from vps.core.pictures import drawable, kept, paper
from vps.errors import InputError, OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 150

Shown = TypeVar("Shown", bound="ShowsItself")


class ShowsItself:
    """A result that is a picture when it is the last line of a notebook's cell.

    What was computed in this session has the image it is about, reduced to what a picture needs;
    what was loaded from files does not, so that its map is drawn on grey paper until `with_image`
    gives it one. The image is no part of what is saved or compared.

    Attributes:
        drawer: "module:function" that draws it on an image; imported when it is used, for it
            brings matplotlib.
        image: what it is about, reduced; None where that is not known.
    """

    drawer: ClassVar[str]
    image: OpenedImage | None = None
    _png: bytes | None = None

    def with_image(self: Shown, image: AnyImage | None) -> Shown:
        """Itself, with the image that it is about; None leaves it as it is.

        Args:
            image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.

        Raises:
            InputError: an image that cannot be read, or of another size.
        """
        size = self._size()
        if image is not None and size is not None:
            opened = OpenedImage(drawable(image, size, "the result is about"), size)
            object.__setattr__(self, "image", kept(opened))
        object.__setattr__(self, "_png", None)
        return self

    def figure(self, image: AnyImage | None = None) -> Figure:
        """The picture as a matplotlib Figure, to be changed or saved.

        Args:
            image: that was explained; need not be given where it is known.

        Raises:
            InputError: an image that is not known, cannot be read, or is of another size.
        """
        return drawn(self.drawer, self, self._known(image))

    def show(self, image: AnyImage | None = None) -> None:
        """Show the picture: in a notebook below the cell, elsewhere in a window.

        Args:
            image: as for `figure`.

        Raises:
            InputError: as for `figure`.
            OutputError: nothing can show it here.
        """
        figure = self.figure(image)
        if in_notebook():
            from IPython import display

            display.display(display.Image(data=_png_of(figure)))
        elif not ImageShow.show(_pixels_of(figure)):
            raise OutputError("no program that shows pictures was found: save the figure() instead")

    def _repr_png_(self) -> bytes:
        if self._png is None:
            size = self._size()
            image = self.image or (None if size is None else paper(size))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # results carry their doubts, and the picture too
                object.__setattr__(self, "_png", _png_of(drawn(self.drawer, self, image)))
        assert self._png is not None
        return self._png

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self._repr_png_()).decode()
        about = html.escape(self._caption())
        return (
            f'<figure style="margin:0"><img alt="{about}" style="max-width:100%" '
            f'src="data:image/png;base64,{picture}"><figcaption>{about}</figcaption></figure>'
        )

    def _known(self, image: AnyImage | None) -> AnyImage | None:
        """The image to draw on, or None for a result that is about no image."""
        if self._size() is None:
            return None
        found = self.image if image is None else image
        if found is None:
            raise InputError(
                "the image is not kept in files: give it, as in figure('street.jpg') or "
                "with_image('street.jpg')"
            )
        return found

    def _size(self) -> tuple[int, int] | None:
        """(H, W) of the image that it is about; None where it is about no image."""
        raise NotImplementedError

    def _caption(self) -> str:
        """What stands below the picture."""
        raise NotImplementedError


def drawn(drawer: str, *arguments: Any, **settings: Any) -> Any:
    """What a function of `vps.report`, "module:function", draws; it is imported now."""
    module, _, name = drawer.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments, **settings)


def _pixels_of(figure: Figure) -> Image.Image:
    figure.set_dpi(_DPI)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]


def _png_of(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()

"""Images that show some regions and hide the others under a fill."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vps.core.names import choose
from vps.errors import InputError

Colour = tuple[float, float, float]

DATASET_MEAN: Colour = (0.485, 0.456, 0.406)
"""The mean colour of ImageNet, RGB in [0, 1]: what most detectors normalise to zero."""


def _colour(pixels: Tensor, colour: Colour) -> Tensor:
    return torch.tensor(colour, dtype=pixels.dtype, device=pixels.device).view(3, 1, 1)


def _blurred(pixels: Tensor) -> Tensor:
    from scipy.ndimage import gaussian_filter

    # Wide enough that what a region shows cannot be told from its blur.
    sigma = max(pixels.shape[1:]) / 16
    blurred = gaussian_filter(pixels.cpu().numpy(), (0, sigma, sigma), mode="nearest")
    return torch.from_numpy(blurred).to(pixels)


FILLS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda pixels: _colour(pixels, DATASET_MEAN),
    "black": lambda pixels: _colour(pixels, (0.0, 0.0, 0.0)),
    "image-mean": lambda pixels: pixels.mean(dim=(1, 2), keepdim=True),
    "blur": _blurred,
}
"""What hidden pixels are filled with, by name: (3, h, w) pixels -> (3, 1, 1) or (3, h, w)."""


def make_fill(fill: str | Colour, pixels: Tensor) -> Tensor:
    """The pixels that stand where a region is hidden.

    Args:
        fill: "mean" (of ImageNet), "black", "image-mean" (of this image), "blur" (this image
            under a Gaussian with sigma = longer side / 16), or three numbers in [0, 1], RGB.
        pixels: (3, h, w) the image on the detector's grid, RGB in [0, 1].

    Returns:
        (3, 1, 1) for a colour, (3, h, w) for the blur; type and device of `pixels`.

    Raises:
        InputError: an unknown name, or not three numbers in [0, 1].
    """
    check_fill(fill)
    return FILLS[fill](pixels) if isinstance(fill, str) else _colour(pixels, fill)


def check_fill(fill: str | Colour) -> str:
    """The name under which results record a fill, e.g. "mean" or "0.5,0.5,0.5".

    Raises:
        InputError: as for `make_fill`.
    """
    if isinstance(fill, str):
        choose(FILLS, fill, "fill")
        return fill
    colour = fill if isinstance(fill, (tuple, list)) else ()
    if len(colour) != 3 or not all(0 <= channel <= 1 for channel in colour):
        raise InputError(f"a fill colour is three numbers in [0, 1], RGB; got {fill}")
    return ",".join(f"{channel:g}" for channel in fill)


class Masker:
    """Shows subsets of regions of one image, one batch after the other in the same memory.

    Besides one batch of pixels it holds a third of one for the masks; nothing grows with the
    number of regions.

    Args:
        pixels: (3, h, w) float, the image on the detector's grid.
        label_map: (h, w) int32, the region of each pixel, on the same device.
        fill: (3, 1, 1) or (3, h, w), see `make_fill`.
        batch_size: the most subsets that one call will ask for.
    """

    def __init__(self, pixels: Tensor, label_map: Tensor, fill: Tensor, batch_size: int) -> None:
        # A permuted (h, w, 3) array, as many preprocessors give, would be read four times slower.
        self._pixels = pixels.contiguous()
        self._labels = label_map.flatten()
        self._fill = fill.contiguous()
        # Fresh pages cost more than all that is written into them, so both are allocated once.
        self._shown = pixels.new_empty((batch_size, *pixels.shape))
        self._masks = pixels.new_empty((batch_size, self._labels.numel()))

    def __call__(self, keep: Tensor) -> Tensor:
        """x_S: the image where S is shown and the fill elsewhere.

        Args:
            keep: (B, m) bool or float on the device of the image, B <= batch_size; 1 shows a
                region, 0 hides it.

        Returns:
            (B, 3, h, w), valid until the next call. A shown pixel is exactly that of the image
            and a hidden one exactly that of the fill.
        """
        batch = len(keep)
        masks, shown = self._masks[:batch], self._shown[:batch]
        # A vector is gathered from a third faster than a matrix of one row.
        table, gathered = keep.to(masks.dtype).squeeze(0), masks.squeeze(0)
        torch.index_select(table, -1, self._labels, out=gathered)
        # For weights of 0 and 1 lerp gives its ends exactly, unlike fill + weight * difference.
        weights = masks.view(batch, 1, *shown.shape[2:])
        return torch.lerp(self._fill, self._pixels, weights, out=shown)

"""What is hidden to repair a failure, in words: which object, where, how large, how it looks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vps.core.targets import Box
from vps.metrics.localisation import inside_box
from vps.sets.hiding import BESIDE

_BACKGROUND = "background"

_MOST_OF = 0.25  # of what is hidden, from which on an object is named
_SMALL, _LARGE = 0.05, 0.2  # shares of the image
_DULL, _DARK, _BRIGHT = 0.15, 0.25, 0.75
_BUSY = 0.08  # mean step between neighbouring pixels
_HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")


def repair_words(
    hidden: np.ndarray, box: Box, others: Mapping[str, np.ndarray], image: np.ndarray
) -> tuple[str, ...]:
    """The words of a repair, one of each sort.

    Which object: the label of the annotated objects that fill most of it, from a quarter on, else
    "background"; the object itself is not among them. Where: "on it" where a twentieth or more of
    it lies in the box, else "beside it", and with "above it", "below it", "left of it" or "right
    of it", by the centres. How large: "small" below a twentieth of the image, "large" from a fifth
    on, else "medium". Colour by hue, or "dark", "grey", "bright"; texture "plain" or "busy".

    Args:
        hidden: (H, W) bool, what is hidden.
        box: xyxy, of the failure, in pixels of the same grid.
        others: label -> (H, W) bool, other annotated objects.
        image: (H, W, 3) uint8 RGB.

    >>> hidden = np.zeros((10, 10), bool)
    >>> hidden[:2] = True
    >>> repair_words(hidden, (2, 6, 8, 9), {"table": hidden}, np.zeros((10, 10, 3), np.uint8))
    ('table', 'beside it', 'above it', 'large', 'dark', 'plain')
    """
    area = np.count_nonzero(hidden)
    shares = {label: (mask & hidden).sum() / area for label, mask in others.items()}
    largest = max(shares, key=lambda label: (shares[label], label), default=_BACKGROUND)
    object_word = largest if shares.get(largest, 0) >= _MOST_OF else _BACKGROUND
    inside = (inside_box(box, (hidden.shape[0], hidden.shape[1])) & hidden).sum() / area
    rows, columns = np.nonzero(hidden)
    down = rows.mean() + 0.5 - (box[1] + box[3]) / 2
    right = columns.mean() + 0.5 - (box[0] + box[2]) / 2
    if abs(down) > abs(right):
        side = "below it" if down > 0 else "above it"
    else:
        side = "right of it" if right > 0 else "left of it"
    share = area / hidden.size
    size = "small" if share < _SMALL else "large" if share >= _LARGE else "medium"
    place = "on it" if inside >= BESIDE else "beside it"
    return object_word, place, side, size, *_look(image, hidden)


def _look(image: np.ndarray, hidden: np.ndarray) -> tuple[str, str]:
    """Words for colour and texture."""
    pixels = image.astype(np.float64) / 255
    red, green, blue = (float(value) for value in pixels[hidden].mean(axis=0))
    low, high = min(red, green, blue), max(red, green, blue)
    if high - low >= _DULL:
        turn = {red: (green - blue), green: 2 * (high - low) + blue - red}.get(
            high, 4 * (high - low) + red - green
        )
        colour = _HUES[round(turn / (high - low)) % 6]
    else:
        colour = "dark" if high < _DARK else "bright" if low > _BRIGHT else "grey"
    light = pixels.mean(axis=2)
    steps = np.abs(np.diff(light, axis=1, append=light[:, -1:]))
    steps += np.abs(np.diff(light, axis=0, append=light[-1:]))
    return colour, "busy" if steps[hidden].mean() / 2 > _BUSY / 2 else "plain"

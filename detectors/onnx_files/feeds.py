"""What an ONNX file is given beside the image: its size and scale, a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vps.errors import InputError

NUMPY_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
IMAGE_TYPES = ("tensor(float)", "tensor(float16)", "tensor(uint8)")

# What is given is the input as the original image, so that boxes come out in pixels of the input.
_KNOWN: dict[str, Callable[[int, int], list[float]]] = {
    "orig_target_sizes": lambda height, width: [width, height],
    "orig_target_size": lambda height, width: [width, height],
    "orig_sizes": lambda height, width: [width, height],
    "orig_size": lambda height, width: [width, height],
    "target_sizes": lambda height, width: [height, width],
    "image_shape": lambda height, width: [height, width],
    "im_shape": lambda height, width: [height, width],
    "im_info": lambda height, width: [height, width, 1],
    "scale_factor": lambda height, width: [1, 1],
}
MASKS = ("pixel_mask", "pixel_values_mask")


def find_image(inputs: Sequence[Any], model: Any) -> Any:
    """The input for the image among those of a session.

    Raises:
        InputError: there is none, or several.
    """
    others = [one for one in inputs if one.name not in (*_KNOWN, *MASKS)]
    images = [one for one in others if one.type in IMAGE_TYPES and len(one.shape or [0] * 4) >= 3]
    if len(images) != 1:
        raise InputError(
            f"{model} has the inputs {listed_ports(inputs)}; one of type {', '.join(IMAGE_TYPES)} "
            "for an image is needed, and further ones only with numbers: export it so"
        )
    return images[0]


def listed_ports(ports: Sequence[Any]) -> str:
    """Inputs or outputs of a session in a few words."""
    return ", ".join(f"{port.name}: {port.type} {port.shape}" for port in ports)


class OtherInputs:
    """The inputs of a file beside the image.

    Args:
        ports: those of the session, without the image.
        given: numbers by name, from the description.
        square: whether the image's input is as high as wide; then the order of its sides is none.
        model: the file, for messages.

    Raises:
        InputError: an input of which nothing is known, or a name that is none.
    """

    def __init__(
        self, ports: Sequence[Any], given: Mapping[str, tuple[float, ...]], square: bool, model: Any
    ) -> None:
        self._ports, self._given = list(ports), dict(given)
        names = [port.name for port in ports]
        for name in given:
            if name not in names:
                raise InputError(f"input.others: {model} has no input {name!r} beside the image")
        for port in ports:
            size = square and port.type == "tensor(int64)" and _last(port) == 2
            known = port.name in given or port.name in _KNOWN or port.name in MASKS or size
            if not known or port.type not in NUMPY_TYPES:
                raise InputError(
                    f"{model} has an input {port.name!r} of type {port.type} and shape "
                    f"{port.shape} beside the image; say in its description which numbers it is "
                    f"given: input.others: {{{port.name}: [...]}}"
                )

    def feed(self, count: int, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Arrays by name for `count` images of an input of (height, width)."""
        return {port.name: self._array(port, count, size) for port in self._ports}

    def _array(self, port: Any, count: int, size: tuple[int, int]) -> np.ndarray:
        kind, shape = NUMPY_TYPES[port.type], list(port.shape or ())
        if port.name in MASKS and port.name not in self._given:
            fixed = [side for side in shape[-2:] if isinstance(side, int)]
            return np.ones((count, *(fixed if len(fixed) == 2 else size)), kind)
        values = self._given.get(port.name) or _KNOWN.get(port.name, lambda h, w: [w, h])(*size)
        array = np.array(values, kind)
        if port.name in self._given and all(isinstance(side, int) for side in shape):
            return array.reshape(shape)
        return array if len(shape) == 1 else np.tile(array, (count, 1))


def _last(port: Any) -> Any:
    return port.shape[-1] if port.shape else None

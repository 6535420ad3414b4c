"""Which values of a converted ONNX file are features of places."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from detectors.onnx_files.torch_model import TorchModel
from detectors.shared.features import GridPlace, item, on_pixels, token_grid
from vps.core.detector import FeatureLayer
from vps.errors import InputError

_CONVOLUTIONS = ("Conv", "ConvTranspose")

NamedShapes = Mapping[str, tuple[int, ...]]
"""Of the values that nodes give, by name, for one image."""


class Watched:
    """The shapes of all values of a model in the passes within the block."""

    def __init__(self, model: TorchModel) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._model = model

    def __enter__(self) -> Watched:
        self._handles = [
            self._model.module.get_submodule(name).register_forward_hook(self._noting(node))
            for name, node in self._model.nodes.items()
        ]
        return self

    def __exit__(self, *_: Any) -> None:
        for handle in self._handles:
            handle.remove()

    def _noting(self, node: Any) -> Any:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            parts = output if isinstance(output, (tuple, list)) else [output]
            for name, part in zip(node.output, parts, strict=False):
                if isinstance(part, Tensor):
                    self.shapes[name] = tuple(part.shape)

        return note


def layers_of(
    model: TorchModel,
    names: Sequence[str],
    shapes: NamedShapes,
    place: GridPlace,
    whole: tuple[int, int],
) -> dict[str, FeatureLayer]:
    """Feature layers of a file, from the finest grid to the coarsest.

    Args:
        model: the file.
        names: of values in it, (B, C, h, w) or tokens (B, N, C); without, `pyramid` finds them,
            and they are called "neck.0" and so on.
        shapes: of its values.
        place: where pixels stand in its input.
        whole: (height, width) of that.

    Raises:
        InputError: a value that there is not, or one that is no grid over the image.
    """
    grids = {name: _grid(model, name, shapes, whole) for name in names or pyramid(model, shapes)}
    ordered = sorted(grids, key=lambda name: -grids[name][0] * grids[name][1])
    layers = {}
    for number, name in enumerate(ordered):
        module, among = model.producer(name)
        layer = FeatureLayer(module, grid=on_pixels(place))
        if among is not None:
            layer = FeatureLayer(module, item(among), layer.grid)
        layers[name if names else f"neck.{number}"] = layer
    return layers


def pyramid(model: TorchModel, shapes: NamedShapes) -> list[str]:
    """What the last convolutions of each grid look at together.

    The last ones are those behind which no other stands: heads of scores and boxes. Where a grid
    has several, what they look at is the last value on it that all of them depend on.
    """
    nodes = list(model.nodes.values())
    giver = {value: place for place, node in enumerate(nodes) for value in node.output}
    before: list[set[int]] = []
    for node in nodes:
        direct = {giver[value] for value in node.input if value in giver}
        before.append(direct.union(*(before[place] for place in direct)))
    convolved = [place for place, node in enumerate(nodes) if node.op_type in _CONVOLUTIONS]
    inner = set().union(*(before[place] for place in convolved))
    heads: dict[tuple[int, ...], list[int]] = {}
    for place in convolved:
        shape = shapes.get(nodes[place].output[0], ())
        if place not in inner and len(shape) == 4:
            heads.setdefault(shape[2:], []).append(place)
    return [_shared(nodes, before, places, shapes, grid) for grid, places in heads.items()]


def _shared(
    nodes: Sequence[Any],
    before: Sequence[set[int]],
    heads: Sequence[int],
    shapes: NamedShapes,
    grid: tuple[int, ...],
) -> str:
    """The last value on a grid that convolutions depend on; the first one's own without any."""
    common = set.intersection(*(before[place] for place in heads))
    for place in sorted(common, reverse=True):
        value: str = nodes[place].output[0]
        if len(shapes.get(value, ())) == 4 and shapes[value][2:] == grid:
            return value
    own: str = nodes[heads[0]].output[0]
    return own


def _grid(
    model: TorchModel, name: str, shapes: NamedShapes, whole: tuple[int, int]
) -> tuple[int, int]:
    """Rows and columns of a value."""
    if name not in shapes:
        raise InputError(f"{model.path} has no value {name!r} for a layer{_near(name, shapes)}")
    shape = shapes[name]
    if len(shape) == 4 and shape[2] * shape[3] > 1:
        return shape[2], shape[3]
    if len(shape) == 3:
        return token_grid(shape[1], whole)
    raise InputError(
        f"{name!r} of {model.path} has the shape {shape}, which is no grid over the image: a layer "
        "is (B, C, h, w), or tokens (B, N, C)"
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.3)
    return f"; near it are {', '.join(near)}" if near else ""

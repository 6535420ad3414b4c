"""An ONNX file as a module of torch, by onnx2torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample
from torch.overrides import TorchFunctionMode

from vps.core.extras import require
from vps.errors import InputError, one_line

EXTRA = "onnx-torch"


class TorchModel:
    """A file, converted node by node; each is a module of its own.

    Attributes:
        path: of the file.
        module: the whole, in evaluation mode; its parameters ask for no gradients.
        nodes: what onnx2torch calls the nodes of the file, in an order in which they can run, with
            the file's own words on them.

    Args:
        path: of the file.

    Raises:
        MissingExtraError: onnx2torch is not installed.
        InputError: an operator that it does not know, or something else that it cannot convert.
    """

    def __init__(self, path: Path) -> None:
        converter = require("onnx2torch.converter", extra=EXTRA)
        onnx = require("onnx", extra=EXTRA)
        _add_operators()
        self.path = path
        try:
            content = onnx.load(str(path))
            _shorten(content)
            self._graph = converter.OnnxGraph(content.graph)
            self._check_operators(content)
            self.module: nn.Module = converter.convert(content).eval().requires_grad_(False)
        except InputError:
            raise
        except Exception as error:
            # Each operator has its own ways to fail.
            raise InputError(
                f"{path} cannot be converted to torch: {one_line(error)}; leave backend=torch out "
                "for methods that need no gradients"
            ) from error
        self.nodes: dict[str, Any] = {name: node.proto for name, node in self._graph.nodes.items()}
        constants = {tensor.name for tensor in content.graph.initializer}
        self._inputs = [port.name for port in content.graph.input if port.name not in constants]
        self._outputs = [port.name for port in content.graph.output]

    def run(self, names: Sequence[str], given: Mapping[str, Tensor]) -> list[Tensor]:
        """Some outputs by name, for all inputs by name; in a graph where an input has one."""
        with _Indices():
            results = self.module(*[given[name] for name in self._inputs])
        whose = dict.fromkeys(self._producer(name)[0] for name in self._outputs)
        if len(whose) == 1:
            results = [results]
        found = dict(zip(whose, results, strict=True))
        return [self._pick(name, found[self._producer(name)[0]]) for name in names]

    def producer(self, value: str) -> tuple[nn.Module, int | None]:
        """The module that gives a value of the file, and at which place where it gives several."""
        node, place = self._producer(value)
        return self.module.get_submodule(node), place

    def _producer(self, value: str) -> tuple[str, int | None]:
        node, place = self._graph.value_as_node_output(value)
        return node.unique_name, place if len(node.output_values) > 1 else None

    def _pick(self, value: str, result: Any) -> Tensor:
        place = self._producer(value)[1]
        found: Tensor = result if place is None else result[place]
        return found

    def _check_operators(self, content: Any) -> None:
        """Raise InputError with all operators that cannot be converted."""
        registry = require("onnx2torch.node_converters.registry", extra=EXTRA)
        versions = {one.domain: one.version for one in content.opset_import}
        unknown = set()
        for node in content.graph.node:
            try:
                registry.get_converter(node.op_type, versions.get(node.domain, 1), node.domain)
            except NotImplementedError:
                unknown.add(node.op_type)
        if unknown:
            raise InputError(
                f"{self.path} cannot be converted to torch: onnx2torch does not know its "
                f"{', '.join(sorted(unknown))}; leave backend=torch out for methods that need no "
                "gradients, or export it without"
            )


def _shorten(content: Any) -> None:
    """Leave out inputs at the end of nodes that are left empty, which onnx2torch looks for."""
    for node in content.graph.node:
        while node.input and not node.input[-1]:
            node.input.pop()


class GridSample(nn.Module):
    """ONNX's operator GridSample, as deformable attention has it.

    Args:
        mode: "bilinear", "bicubic" or "nearest".
        padding: likewise.
        aligned: whether corners are aligned.
    """

    def __init__(self, mode: str, padding: str, aligned: bool) -> None:
        super().__init__()
        # As opset 20 calls them.
        self._mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
        self._padding, self._aligned = padding, aligned

    def forward(self, values: Tensor, grid: Tensor) -> Tensor:
        """Values (B, C, H, W) at places (B, h, w, 2) in [-1, 1]."""
        return grid_sample(values, grid, self._mode, self._padding, self._aligned)


class _Indices(TorchFunctionMode):
    """Within it, lists of slices are indices, as onnx2torch means them and torch will not."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is Tensor.__getitem__ and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))
        return func(*args, **(kwargs or {}))


def _add_operators() -> None:
    """Tell onnx2torch of what it does not know."""
    registry = require("onnx2torch.node_converters.registry", extra=EXTRA)
    common = require("onnx2torch.utils.common", extra=EXTRA)

    def convert(node: Any, _graph: Any) -> Any:
        given = node.attributes
        module = GridSample(
            str(given.get("mode", "bilinear")),
            str(given.get("padding_mode", "zeros")),
            bool(given.get("align_corners", 0)),
        )
        mapping = common.onnx_mapping_from_node(node=node)
        return common.OperationConverterResult(torch_module=module, onnx_mapping=mapping)

    for version in (16, 20):
        try:
            registry.get_converter("GridSample", version)
        except NotImplementedError:
            registry.add_converter("GridSample", version=version)(convert)


def as_tensors(given: Mapping[str, Any]) -> dict[str, Tensor]:
    """Inputs of a run, arrays or tensors, as tensors."""
    return {name: torch.as_tensor(values) for name, values in given.items()}

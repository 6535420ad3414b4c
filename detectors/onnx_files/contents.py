"""What an ONNX file says of itself: inputs, outputs, metadata, and what its graph does."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.onnx_files.feeds import find_image, listed_ports
from vps.core.extras import require
from vps.errors import InputError, one_line

_NAME_KEYS = ("names", "classes", "class_names", "labels", "categories", "id2label")
# What hands the places of a top-k on as they are.
_PASSING = ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze")
SUPPRESSION = ("NonMaxSuppression", "EfficientNMS_TRT", "BatchedNMS_TRT", "TRTBatchedNMS")


@dataclass(frozen=True)
class Contents:
    """What a file says of itself.

    Attributes:
        path: of the file.
        inputs, outputs: those of the session, with name, type and shape.
        metadata: texts by key, as the exporter wrote them.
        producer: what wrote the file, as it says.
        operators: those of the graph.
        ranked: how many classes a top-k over queries and classes chooses from; None if there is
            none, or its graph does not show it.
        scored: how many classes a two-stage detector scores, by the shape of that layer's weights;
            None if there is no such layer.
        patch: side of the patches into which the first layer cuts the image (a vision
            transformer); 0 if it does not.
    """

    path: Path
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    metadata: Mapping[str, str]
    producer: str
    operators: frozenset[str]
    ranked: int | None
    scored: int | None
    patch: int

    @property
    def image(self) -> Any:
        """The input for the image."""
        return find_image(self.inputs, self.path)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the classes, if the file has them."""
        return metadata_names(self.metadata, self.path)

    @property
    def nhwc(self) -> bool:
        """Whether the image's channels are its last axis."""
        shape = list(self.image.shape or [])
        return len(shape) >= 3 and shape[-1] == 3 and shape[-3] != 3

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the input, if the file fixes or names them."""
        sides = list(self.image.shape or ())[-3:]
        height, width = (sides[:2] if self.nhwc else sides[1:]) if len(sides) == 3 else (None, None)
        if isinstance(height, int) and isinstance(width, int):
            return height, width
        named = self.value("imgsz")
        if isinstance(named, int):
            return named, named
        return (named[0], named[1]) if isinstance(named, list) and len(named) == 2 else None

    @property
    def task(self) -> str:
        """What the exporter says that it is for: "detect", "segment" ...; "" if it does not."""
        return self.metadata.get("task", "")

    @property
    def reduced(self) -> str:
        """What in the graph drops boxes: "NMS", "top-k" or ""."""
        if self.operators & {*SUPPRESSION} or _truthy(self.value("args"), "nms"):
            return "NMS"
        return "top-k" if self.ranked is not None or self.value("end2end") is True else ""

    def value(self, key: str) -> Any:
        """A value of the metadata as what it means; the text itself where it means nothing else."""
        return parsed(self.metadata[key]) if key in self.metadata else None

    def summary(self) -> list[str]:
        """What it says, a line each."""
        names = self.names
        shown = f"{len(names)}: {', '.join(names[:5])}{' ...' * (len(names) > 5)}" if names else ""
        keys = ("task", "imgsz", "stride", "description")
        said = [f"{key}: {self.metadata[key]}" for key in keys if key in self.metadata]
        return [
            f"inputs: {listed_ports(self.inputs)}",
            f"outputs: {listed_ports(self.outputs)}",
            f"written by: {self.producer or 'unknown'}",
            f"class names: {shown or 'none'}",
            *said,
        ]


def read_contents(path: Path, session: Any) -> Contents:
    """What a file says; `session` is what onnxruntime made of it.

    Raises:
        MissingExtraError: onnx is not installed.
        InputError: onnx cannot read what onnxruntime could.
    """
    onnx = require("onnx", extra="onnx")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        # protobuf raises classes of its own.
        raise InputError(f"ONNX model {path} cannot be read: {one_line(error)}") from error
    metadata = session_metadata(session)
    inputs = tuple(session.get_inputs())
    nodes = list(_nodes(model.graph))
    constants = _constants(model.graph)
    image = find_image(inputs, path).name
    shapes = {tensor.name: tensor.dims[0] for tensor in model.graph.initializer if tensor.dims}
    return Contents(
        path=path,
        inputs=inputs,
        outputs=tuple(session.get_outputs()),
        metadata=metadata,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        operators=frozenset(node.op_type for node in nodes),
        ranked=_ranked(nodes, constants),
        scored=next((s for name, s in shapes.items() if name.endswith("cls_score.bias")), None),
        patch=_patch(nodes, image),
    )


def session_metadata(session: Any) -> dict[str, str]:
    """The metadata of a session's file, texts by key."""
    return dict(session.get_modelmeta().custom_metadata_map)


def metadata_names(metadata: Mapping[str, str], path: Path) -> tuple[str, ...] | None:
    """The names of classes in the metadata of a file, in order; None if there are none.

    Raises:
        InputError: they have numbers that do not run from 0.
    """
    key = next((key for key in _NAME_KEYS if metadata.get(key, "").strip()), None)
    if key is None:
        return None
    value = parsed(metadata[key])
    if isinstance(value, str):
        value = [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]
    if isinstance(value, dict):
        try:
            numbered = {int(number): str(name) for number, name in value.items()}
        except (TypeError, ValueError):
            return None
        if sorted(numbered) != list(range(len(numbered))):
            raise InputError(
                f"the class names in {path} are numbered {min(numbered)} to {max(numbered)}, not "
                f"from 0 without a gap; write them into a description: vps inspect {path} --out"
            )
        value = [numbered[number] for number in range(len(numbered))]
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) and value else None


def parsed(text: str) -> Any:
    """A text of metadata as what it means, as Python or JSON; else the text."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return text


def _truthy(value: Any, key: str) -> bool:
    return isinstance(value, Mapping) and bool(value.get(key))


def _nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph, and of those within its nodes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _constants(graph: Any) -> dict[str, Any]:
    """Whole numbers in the graph, single ones, by name."""
    from onnx import numpy_helper

    tensors = [(tensor.name, tensor) for tensor in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            tensors.append((node.output[0], node.attribute[0].t))
    found = {}
    for name, tensor in tensors:
        if int(tensor.data_type) in (6, 7) and list(tensor.dims) in ([], [1]):
            found[name] = int(numpy_helper.to_array(tensor).reshape(-1)[0])
    return found


def _ranked(nodes: list[Any], constants: Mapping[str, int]) -> int | None:
    """Of a top-k over queries x classes, the number of classes: places are divided by it."""
    places = {node.output[1] for node in nodes if node.op_type == "TopK" and len(node.output) > 1}
    for node in nodes:
        if node.op_type in _PASSING and node.input[0] in places:
            places.add(node.output[0])
        if node.op_type in ("Div", "Mod") and node.input[0] in places:
            return constants.get(node.input[1])
    return None


def _patch(nodes: list[Any], image: str) -> int:
    """Side of the patches of the first convolution, if it cuts the image into some."""
    for node in nodes:
        if node.op_type == "Conv" and node.input[0] == image:
            sides = {item.name: list(item.ints) for item in node.attribute}
            strides = sides.get("strides", [1])
            same = strides == sides.get("kernel_shape", strides)
            return strides[0] if same and strides[0] >= 8 else 0
    return 0

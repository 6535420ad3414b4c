"""ONNX files of the forms that exporters write, which return what is given whatever they see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

IMAGE = {"images": ("FLOAT", [1, 3, 64, 64])}
"""An input of 64 x 64, as most exporters call it."""

Inputs = dict[str, tuple[str, list[Any]]]


def save_export(
    path: Path,
    outputs: dict[str, np.ndarray],
    inputs: Inputs | None = None,
    metadata: dict[str, str] | None = None,
    open_rows: bool = False,
    scaled: str = "",
) -> Path:
    """Write a file that returns `outputs`.

    Args:
        path: of the file.
        outputs: arrays by name; with the axis of the batch where the exporter has it.
        inputs: type and shape by name; the first is the image.
        metadata: texts by key.
        open_rows: whether the file leaves open how many rows its outputs have.
        scaled: an input of (width, height) by which the output "boxes" is multiplied.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    inputs = inputs or IMAGE
    image = next(iter(inputs))
    nodes = [
        helper.make_node("Cast", [image], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["mean"], keepdims=0),
        helper.make_node("Sub", ["mean", "mean"], ["nothing"]),
    ]
    ports, constants = [], []
    for name, values in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        constants.append(numpy_helper.from_array(values, f"{name}_values"))
        nodes.append(helper.make_node("Cast", ["nothing"], [f"{name}_nothing"], to=kind))
        end = f"{name}_plain" if scaled and name == "boxes" else name
        nodes.append(helper.make_node("Add", [f"{name}_values", f"{name}_nothing"], [end]))
        if end != name:
            nodes += [
                helper.make_node("Cast", [scaled], ["sides"], to=TensorProto.FLOAT),
                helper.make_node("Concat", ["sides", "sides"], ["corners"], axis=1),
                helper.make_node("Mul", [end, "corners"], [name]),
            ]
        shape: list[Any] = list(values.shape)
        if open_rows and shape:
            shape[0 if len(shape) < 3 else 1] = "rows"
        ports.append(helper.make_tensor_value_info(name, kind, shape))
    graph = helper.make_graph(
        nodes,
        "detector",
        [
            helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
            for name, (kind, shape) in inputs.items()
        ],
        ports,
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path

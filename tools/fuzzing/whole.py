"""Small whole inputs of every kind, from which broken ones are made."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tools.fuzzing.detector import BOXES, NAME
from vps.cli.main import main
from vps.core.schema import to_plain
from vps.study.config import read_config

LABELS = ("cat", "dog")
SIZE = (24, 32)
FORMS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def make_whole(folder: Path) -> None:
    """Write images, annotations in every format, a study that is done, results, an ONNX detector.

    Args:
        folder: an empty one; what lies in it is never changed afterwards.
    """
    _write_images(folder / "images")
    coco = _coco()
    _write(folder, "coco.json", coco)
    lvis = json.loads(json.dumps(coco))
    for record in lvis["images"]:
        record |= {"neg_category_ids": [1], "not_exhaustive_category_ids": [2]}
    for category in lvis["categories"]:
        category["frequency"] = "r"
    _write(folder, "lvis.json", lvis)
    refs = [
        {
            **{"ann_id": 10, "image_id": 1, "split": "val", "ref_id": 1, "category_id": 1},
            "sentences": [{"sent_id": 1, "sent": "left dog"}, {"sent_id": 2, "sent": "a dog"}],
        }
    ]
    _write(folder, "refs.json", refs)
    (folder / "refs.p").write_bytes(pickle.dumps(refs, protocol=2))
    mdetr = json.loads(json.dumps(coco))
    for record in mdetr["images"]:
        record |= {"caption": "a dog", "original_id": record["id"], "dataset_name": "refcoco"}
    mdetr["annotations"] = mdetr["annotations"][::2]
    _write(folder, "mdetr.json", mdetr)
    encoded = base64.b64encode((folder / "images" / "1.png").read_bytes()).decode()
    (folder / "refs.tsv").write_text(f"1\t1\tleft dog\t2,2,12,12\t{encoded}\n" * 2)
    _write(folder, "vps_list.json", _vps_list())
    _write_study(folder)
    _write_results(folder)
    _write_onnx(folder)


def study_settings(folder: Path, out: Path) -> dict[str, Any]:
    """A study of two images, of which each case takes a few passes."""
    return {
        "name": "whole",
        "out": str(out),
        "datasets": {
            "drawn": {
                "format": "coco",
                "annotations": str(folder / "coco.json"),
                "images": str(folder / "images"),
            }
        },
        "detector": {"name": NAME, "device": "cpu"},
        "select": {"per_kind": 1, "score_threshold": 0.1},
        "regions": {"count": 4, "method": "grid"},
        "methods": {"vps": {"options": {"search": "leave_one_out"}}, "box": {}},
        "metrics": {"fidelity_subsets": 2},
        "report": {"draws": 10},
        "run": {"pictures": False},
    }


def _write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(json.dumps(content))


def _write_images(folder: Path) -> None:
    folder.mkdir()
    for number in (1, 2):
        pixels = np.random.default_rng(number).integers(60, 255, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        for form in FORMS:
            Image.fromarray(pixels).save(folder / f"{number}.{form.lower()}", form)


def _coco() -> dict[str, Any]:
    boxes = [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in BOXES]
    polygon = [[2.0, 2.0, 12.0, 2.0, 12.0, 12.0]]
    mask = {"size": list(SIZE), "counts": [100, 20, SIZE[0] * SIZE[1] - 120]}
    return {
        "images": [
            {"id": number, "file_name": f"{number}.png", "height": SIZE[0], "width": SIZE[1]}
            for number in (1, 2)
        ],
        "annotations": [
            {
                **{"id": 10 * image + which, "image_id": image, "category_id": which + 1},
                **{"bbox": boxes[which], "area": 100.0, "iscrowd": which},
                "segmentation": mask if which else polygon,
            }
            for image in (1, 2)
            for which in (0, 1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(LABELS, 1)],
    }


def _vps_list() -> dict[str, Any]:
    entry = {
        **{"image_id": "000000000001", "category": "dog", "iou": 0.9, "predict_score": 0.8},
        **{"bbox": BOXES[0], "predict_box": BOXES[0]},
    }
    return {"case1": [entry]}


def _write_study(folder: Path) -> None:
    """A study that is done, and its config with every key."""
    out = folder / "study"
    _write(folder, "small.json", study_settings(folder, out))
    assert main(["study", str(folder / "small.json"), "--quiet"]) == 0
    _write(folder, "config.json", to_plain(read_config(folder / "small.json")))


def _write_results(folder: Path) -> None:
    image = str(folder / "images" / "1.png")
    common = ["--detector", NAME, "--prompt", "cat . dog", "--threshold", "0.1", "--quiet"]
    common += ["--regions", "4", "--region-method", "grid", "--search", "leave_one_out"]
    assert main(["explain", image, "--out", str(folder / "map"), *common]) == 0
    why = ["--why-not", "dog", "--detection", "1"]
    assert main(["explain", image, "--out", str(folder / "answer"), *why, *common]) == 0


def _write_onnx(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    boxes = numpy_helper.from_array(np.array([BOXES], np.float32), "boxes0")
    weight = numpy_helper.from_array(np.full((1, 1, 1), 0.5, np.float32), "half")
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Squeeze", ["mean", "axis"], ["light"]),
        helper.make_node("Mul", ["light", "spread"], ["scores"]),
        helper.make_node("Mul", ["boxes0", "one"], ["boxes"]),
    ]
    constants = [
        boxes,
        weight,
        numpy_helper.from_array(np.array([3], np.int64), "axis"),
        numpy_helper.from_array(np.array([[[0.9, 0.1], [0.2, 0.8]]], np.float32), "spread"),
        numpy_helper.from_array(np.array(1, np.float32), "one"),
    ]
    graph = helper.make_graph(
        nodes,
        "light",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *SIZE])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 2]),
        ],
        constants,
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "model.onnx")
    description = {
        "name": "light",
        "model": str(folder / "model.onnx"),
        "labels": list(LABELS),
        "input": {"size": list(SIZE), "scale": 1.0, "padding": 0.0, "placement": "stretch"},
        "output": {"head": "boxes", "boxes": "boxes", "scores": "scores"},
    }
    _write(folder, "onnx.json", description)


def picture(folder: Path, number: int) -> bytes:
    """The bytes of an image in one of the formats that are read."""
    return (folder / "images" / f"1.{FORMS[number % len(FORMS)].lower()}").read_bytes()

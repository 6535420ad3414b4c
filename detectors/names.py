"""What people write for a detector first, and what they should write instead."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vps.core.files import is_address, shown_path
from vps.core.names import choose
from vps.errors import InputError

FOR_PHOTOGRAPHS = (
    "for photographs take another, e.g. --detector "
    'hf-grounding-dino:IDEA-Research/grounding-dino-tiny --prompt "dog . cat ."; `vps detectors` '
    "lists all"
)
DEMO_ASKED = (
    'say what to look for: --prompt "circle . cross ." is what the demo detector knows, shapes in '
    f"drawn scenes; {FOR_PHOTOGRAPHS}"
)

PICKLES = (".pt", ".pth", ".ckpt", ".pkl", ".bin")
_OWN = re.compile(r"(?P<module>[A-Za-z_][\w.]*|.+\.py):(?P<function>[A-Za-z_]\w*)")
_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)")
_OF_TORCHVISION = re.compile(r"(fasterrcnn|maskrcnn|keypointrcnn|retinanet|fcos|ssd(lite)?\d)")
_ON_HUB = (
    "hf-closed-set:{0} (DETR, RT-DETR, YOLOS ...), hf-grounding-dino:{0}, hf-zero-shot:{0} (OWL, "
    "OmDet-Turbo) or hf-florence-2:{0}"
)


def is_own(name: str) -> bool:
    """Whether a detector's name has the form of a function of the user's own.

    >>> is_own("my_module:build"), is_own("models/mine.py:build"), is_own("a.yaml")
    (True, True, False)
    """
    return _OWN.fullmatch(name) is not None


def unknown_detector(name: str, kinds: dict[str, object]) -> InputError:
    """What to say of a name that begins with none of the kinds of detectors.

    Args:
        name: what the user wrote.
        kinds: by name.
    """
    hint = _hint(name)
    if hint is not None:
        return InputError(f"{shown_path(name)} is no name of a detector: {hint}")
    try:
        choose(kinds, name.partition(":")[0], "detector")
    except InputError as error:
        return error
    raise AssertionError(f"{name} is known")


def export_hint(file: str) -> str:
    """What to do with a checkpoint of Ultralytics, which is a pickle.

    >>> export_hint("yolov8n.pt").split(",")[0]
    'export it once (`yolo export model=yolov8n.pt format=onnx`) and take onnx:yolov8n.onnx'
    """
    return (
        f"export it once (`yolo export model={file} format=onnx`) and take "
        f"onnx:{Path(file).with_suffix('.onnx')}, or load it yourself in Python: "
        f'detectors.wrap(YOLO("{file}"))'
    )


def address_hint(address: str, kind: str = "") -> str:
    """What to do with an address on the web in place of a model."""
    hub = _HUB.match(address)
    if hub is None:
        return (
            "it is an address on the web, which nothing is fetched from: download the file, and "
            "give its path with the kind of detector before it (see `vps detectors`)"
        )
    named = f"{kind}:{hub[1]}" if kind else f"as {_ON_HUB.format(hub[1])}"
    return f"give the name that the model has on the hub, {named}"


def _hint(name: str) -> str | None:
    path = Path(name).expanduser()
    suffix = path.suffix.lower()
    if is_address(name):
        return address_hint(name)
    if path.is_dir():
        return _of_folder(name, path)
    if ":" in name:  # A kind that is misspelt, with what it should load.
        return None
    if suffix in PICKLES:
        return (
            f"it is a checkpoint of PyTorch. If it is one of Ultralytics, {export_hint(name)}. "
            "Weights of torchvision or mmdet are an option of their model: --detector "
            f"torchvision:MODEL --option weights={name}"
        )
    if suffix in (".onnx", ".yaml", ".yml"):
        return f"write onnx:{name}"
    if suffix == ".py":
        return (
            f"write mmdet:{name} for a config of mmdet, or {name}:FUNCTION for a function of your "
            "own in it that gives a detector"
        )
    if suffix in (".safetensors", ".json"):
        return "of transformers, give the folder of the checkpoint: hf-closed-set:FOLDER"
    if _OF_TORCHVISION.match(name):
        return f"write torchvision:{name}"
    if name.count("/") == 1 and ":" not in name:
        return f"a checkpoint of the hub is written with its kind, as {_ON_HUB.format(name)}"
    return None


def _of_folder(name: str, path: Path) -> str:
    """A folder: its config.json may tell which kind of detector reads it."""
    try:
        kind = json.loads((path / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return (
            "it is a folder without the config.json of a checkpoint of transformers; give a file, "
            "with the kind of detector before it (see `vps detectors`)"
        )
    try:
        from detectors.hf.checkpoint import MODEL_TYPES
    except ImportError:
        return f"it is a folder with a checkpoint of transformers, as {_ON_HUB.format(name)}"
    known = [found for found, types in MODEL_TYPES.items() if kind in types]
    if not known:
        return f"it is a folder with a model of type {kind!r}, which no kind of detector runs"
    return f"write {known[0]}:{name}"

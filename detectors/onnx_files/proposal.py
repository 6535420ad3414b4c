"""One way to read an ONNX file, and what the families take that export such files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detectors.onnx_files.contents import Contents

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
LETTERBOX = {"channels": "rgb", "scale": 1, "placement": "centre"}
"""YOLOv3 to YOLO26, without YOLOv4 and YOLOX."""
STRETCHED = {"channels": "rgb", "scale": 1, "placement": "stretch", "antialias": True}
"""RT-DETR, D-FINE, DEIM."""
RESIZED = {"channels": "rgb", "scale": 1, "placement": "stretch"}
"""As OpenCV resizes."""
YOLOX = {"channels": "bgr", "scale": 255, "placement": "corner"}
NANODET = {
    "channels": "bgr",
    "scale": 255,
    "placement": "stretch",
    "mean": [103.53, 116.28, 123.675],
    "std": [57.375, 57.12, 58.395],
}
SIZE = (640, 640)
"""What YOLOs and RT-DETR see where nothing is said."""
FREE = (800, 1333)
"""The sides to which DETR and torchvision resize: the shorter, and at most the longer."""
WHOLE = {"channels": "rgb", "placement": "free"}
"""Of models that resize by themselves."""
NORMALISED = (
    "which mean and std the model was trained with: [0, 0, 0] and [1, 1, 1], or the means of "
    "ImageNet, [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225] where scale is 1"
)


@dataclass(frozen=True)
class Proposal:
    """One way to read a file, in the words of a description.

    Attributes:
        family: whose exports look like this.
        output: of the description.
        input: of the description, without size and layout.
        classes: how many labels there are by the file's structure; None if it does not show.
        most: how many labels there can be, where it is not known how many there are.
        named: names of those classes, where the family has some for that number.
        size: (height, width) where the file leaves it open and the family has one.
        notes: what was taken for granted, and what is left.
        sure: whether its objectness is 1 for all boxes, or not; None if it could be either.
        questions: what only the user can say, by key of the description.
    """

    family: str
    output: Mapping[str, Any]
    input: Mapping[str, Any]
    classes: int | None = None
    most: int | None = None
    named: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    sure: bool | None = None
    questions: Mapping[str, str] = field(default_factory=dict)


def coco(count: int | None) -> tuple[str, ...] | None:
    """COCO's names for 80 classes; for 90 or 91, by its category numbers from 1 or 0, some of
    which have no name."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights as Weights

    numbered = Weights.COCO_V1.meta["categories"]
    names = [
        name if name not in ("N/A", "__background__") else f"N/A {number}"
        for number, name in enumerate(numbered)
    ]
    found = {
        80: [name for name in names if not name.startswith("N/A")],
        90: names[1:],
        91: names,
    }.get(count or 0)
    return tuple(found) if found else None


def named_port(contents: Contents, *names: str) -> Any:
    """The first output of one of these names, whatever follows a colon; None if there is none."""
    for port in contents.outputs:
        if port.name.split(":")[0] in names:
            return port
    return None


def sides(port: Any) -> list[int | None]:
    """The shape of an output without its first axis; None where it is open."""
    return [side if isinstance(side, int) else None for side in list(port.shape)[1:]]


def is_real(port: Any) -> bool:
    """Whether an output holds floats."""
    return str(port.type) in ("tensor(float)", "tensor(float16)", "tensor(double)")


def first_name(contents: Contents, port: Any) -> dict[str, str]:
    """The key `output` of a head where its output is not the file's first."""
    return {} if contents.outputs[0].name == port.name else {"output": port.name}


def left(contents: Contents, used: Sequence[str]) -> tuple[str, ...]:
    """A note on the outputs that are not read, if there are some."""
    names = [port.name for port in contents.outputs if port.name not in used]
    return (f"outputs left unread: {', '.join(names)}",) if names else ()

"""Files whose boxes stand in one table: which exporters write such, by its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.proposal import (
    LETTERBOX,
    NANODET,
    NORMALISED,
    RESIZED,
    SIZE,
    YOLOX,
    Proposal,
    first_name,
    is_real,
    left,
    sides,
)
from detectors.onnx_files.shapes import grid_of

MOST_ROWS = 1000
"""More rows than that are cells or anchors, fewer are what a top-k or an NMS left."""
_GRIDS = ((8, 16, 32), (8, 16, 32, 64), (16, 32), (4, 8, 16, 32))
_CORNERS = ["x1", "y1", "x2", "y2"]
_MASKS = 32  # coefficients of a mask, where the file has prototypes of masks


def tables(contents: Contents, labels: int | None) -> list[Proposal]:
    """The ways in which a file with one table may be read; `labels` is how many there are."""
    for port in contents.outputs:
        rank = len(port.shape or ())
        if is_real(port) and rank == 2:
            return list(_flat(contents, port))
        if is_real(port) and rank == 3:
            return list(_table(contents, port, labels))
        if is_real(port) and rank == 4 and len(contents.outputs) == 1:
            return list(_map(contents, port, labels))
    return []


def cell_counts(size: tuple[int, int] | None) -> dict[int, tuple[int, ...]]:
    """Strides by the number of cells of an input, for the sets of strides in use."""
    if size is None:
        return {}
    counts: dict[int, tuple[int, ...]] = {}
    for strides in reversed(_GRIDS):
        grids = [grid_of(size, stride) for stride in strides]
        counts[sum(rows * columns for rows, columns in grids)] = strides
    return counts


def _flat(contents: Contents, port: Any) -> Iterator[Proposal]:
    """(N, 6) or (N, 7): what NMS left of all images of a batch."""
    (width,) = sides(port)
    scaled = any(one.name == "scale_factor" for one in contents.inputs)
    name = port.name.lower()
    paddle = ["class", "score", *_CORNERS]
    if width == 6 and (scaled or "nms" in name):
        yield _paddle(contents, port, paddle)
    elif width == 6:
        yield _rows("rows of an NMS", contents, port, [*_CORNERS, "score", "class"], LETTERBOX)
        yield _rows("rows of an NMS, class first", contents, port, paddle, LETTERBOX)
    elif width == 7:
        last = ["batch", "class", "score", *_CORNERS]
        if "classid_score" not in name:
            columns = ["batch", *_CORNERS, "class", "score"]
            yield _rows("YOLOv7, end2end", contents, port, columns, LETTERBOX)
        yield _rows("rows of an NMS, class and score first", contents, port, last, LETTERBOX)


def _paddle(contents: Contents, port: Any, columns: list[str]) -> Proposal:
    """PaddleDetection; its RT-DETR, which has a top-k and no NMS, takes no means."""
    plain = contents.reduced == "top-k"
    questions = {} if plain else {"input.mean": NORMALISED, "input.std": NORMALISED}
    return _rows("PaddleDetection", contents, port, columns, RESIZED, questions)


def _rows(
    family: str,
    contents: Contents,
    port: Any,
    columns: list[str],
    given: dict[str, Any],
    questions: dict[str, str] | None = None,
    extra: int = 0,
) -> Proposal:
    output = {"head": "rows", "columns": columns, **first_name(contents, port)}
    notes = (f"the last {extra} columns are no class scores and are left",) if extra else ()
    return Proposal(
        family,
        {**output, "extra": extra} if extra else output,
        given,
        contents.ranked,
        size=SIZE,
        notes=(*notes, *left(contents, [port.name])),
        questions=questions or {},
    )


def _table(contents: Contents, port: Any, labels: int | None) -> Iterator[Proposal]:
    first, second = sides(port)
    counts = cell_counts(contents.size)
    anchors = {3 * count for count in counts}
    if first is None and second is None:
        return
    if first is None or second is None:
        upright = second is not None
    elif first in counts or first in anchors:
        upright = True
    else:
        upright = first > second and second not in counts and second not in anchors
    rows, width = (first, second) if upright else (second, first)
    assert width is not None
    if not upright:
        yield _yolov8(contents, port, width, labels)
        return
    few = rows is None or (rows <= MOST_ROWS and rows not in counts and rows not in anchors)
    if rows is None or rows <= MOST_ROWS:
        yield from _ended(contents, port, width)
    if few:
        yield from _few(contents, port, width, labels)
    elif rows is not None:
        yield from _many(contents, port, rows, width, labels)


def _ended(contents: Contents, port: Any, width: int) -> Iterator[Proposal]:
    """(N, 6) of few rows, what a top-k or an NMS left: box, score and class."""
    more = {"segment": _MASKS, "pose": width - 6, "obb": 1}.get(contents.task, 0)
    if width == 6 + more and "rtdetr" not in contents.metadata.get("description", "").lower():
        columns = [*_CORNERS, "score", "class"]
        if contents.task == "obb":
            columns, more = ["cx", "cy", "w", "h", "score", "class", "angle"], 0
        family = "YOLOv10, YOLO26, or a YOLO with NMS inside"
        yield _rows(family, contents, port, columns, LETTERBOX, extra=more)


def _few(contents: Contents, port: Any, width: int, labels: int | None) -> Iterator[Proposal]:
    """(N, C) of few rows that are no cells of a grid: the queries of a DETR, or anchors."""
    queries = labels == width - 4 if labels is not None else width > 6
    if queries:
        yield Proposal(
            "RT-DETR of Ultralytics",
            {"head": "yolov8", "unit": "fraction", **first_name(contents, port)},
            RESIZED,
            width - 4,
            size=SIZE,
            notes=left(contents, [port.name]),
        )
    masks = _MASKS if _has_prototypes(contents) else 0
    if labels is None or width - labels in (5, 5 + masks):
        yield _yolov5(contents, port, width, labels)


def _many(
    contents: Contents, port: Any, rows: int, width: int, labels: int | None
) -> Iterator[Proposal]:
    """(N, C) of cells or anchors."""
    strides = cell_counts(contents.size).get(rows)
    if strides is None:
        if labels is not None and width - labels == 4:
            yield _yolov8(contents, port, width, labels)
        else:
            yield _yolov5(contents, port, width, labels)
        return
    classes = width - 5 if labels is None else labels
    notes = left(contents, [port.name])
    if width == classes + 5 and classes > 0:
        raw = {"head": "yolox", "strides": list(strides), **first_name(contents, port)}
        given = {**raw, "decoded": False}
        yield Proposal("YOLOX, cells", given, YOLOX, classes, notes=notes, sure=False)
        yield from _decoded(contents, port, raw, classes)
    elif width == classes + 4:
        yield _yolov8(contents, port, width, labels)
    if (width - (labels or 0)) % 4 == 0 and labels is not None and width - labels >= 8:
        yield _nanodet(contents, port, strides, labels, (width - labels) // 4)
    elif labels is None and width > 32:
        yield _nanodet(contents, port, strides, width - 32, 8)


def _decoded(
    contents: Contents, port: Any, raw: dict[str, Any], classes: int
) -> Iterator[Proposal]:
    """YOLOX that decodes, or YOLOv6, whose objectness is always 1."""
    notes = left(contents, [port.name])
    given = {**raw, "decoded": True}
    yield Proposal("YOLOX that decodes", given, YOLOX, classes, notes=notes, sure=False)
    output = {"head": "yolov5", **first_name(contents, port)}
    yield Proposal("YOLOv6", output, LETTERBOX, classes, notes=notes, sure=True)


def _nanodet(
    contents: Contents, port: Any, strides: tuple[int, ...], labels: int, bins: int
) -> Proposal:
    plus = len(strides) > 3
    return Proposal(
        "NanoDet-Plus" if plus else "NanoDet",
        {
            "head": "distributions",
            "strides": list(strides),
            "bins": bins,
            "centre": 0.0 if plus else 0.5,
            **first_name(contents, port),
        },
        NANODET,
        labels,
        notes=left(contents, [port.name]),
    )


def _yolov5(contents: Contents, port: Any, width: int, labels: int | None) -> Proposal:
    protos = _MASKS if _has_prototypes(contents) else 0
    extra = protos if labels is None else max(0, width - 5 - labels)
    output = {"head": "yolov5", **first_name(contents, port)}
    notes = (f"the last {extra} columns are no class scores and are left",) if extra else ()
    return Proposal(
        "YOLOv3, YOLOv5 or YOLOv7",
        {**output, "extra": extra} if extra else output,
        LETTERBOX,
        width - 5 - extra,
        size=SIZE,
        notes=(*notes, *left(contents, [port.name])),
        questions={} if extra == protos else _unexplained(extra),
    )


def _unexplained(extra: int) -> dict[str, str]:
    """The question about columns that neither a task nor prototypes of masks explain."""
    about = f"{extra} columns more than the labels need: {extra} if they are no class scores"
    return {"output.extra": f"{about} (key points); or correct the labels"}


def _yolov8(contents: Contents, port: Any, width: int, labels: int | None) -> Proposal:
    """YOLOv8 and 11: after the class scores stand masks, key points or an angle."""
    masks = _MASKS if _has_prototypes(contents) else 0
    known = {"detect": 0, "segment": masks or _MASKS, "obb": 1}.get(contents.task)
    points = contents.value("kpt_shape")
    if contents.task == "pose" and isinstance(points, list) and len(points) == 2:
        known = points[0] * points[1]
    usual = width - 4 - masks
    classes = labels
    if classes is None:
        certain = known is not None or usual == 80
        classes = (width - 4 - known if known is not None else usual) if certain else None
    extra = 0 if classes is None else width - 4 - classes
    output: dict[str, Any] = {"head": "yolov8", **first_name(contents, port)}
    questions, notes = {}, []
    if extra > 0:
        output["extra"] = extra
        what = {"segment": "masks", "pose": "key points", "obb": "the angle"}.get(contents.task, "")
        notes.append(f"the last {extra} columns are no class scores{what and ', but '}{what}")
    if contents.task == "obb":
        output["rotated"] = True
        notes.append("a rotated box counts as the upright box around it")
    elif extra == 1:
        questions["output.rotated"] = (
            f"one column more than 4 + {classes} labels: true if it is the angle of a rotated box, "
            "in radians (-obb), false if it is to be left; or correct the labels"
        )
    elif extra not in (0, known, masks):
        questions = _unexplained(extra)
    return Proposal(
        "YOLOv8, YOLO11 and the like",
        output,
        LETTERBOX,
        classes,
        most=width - 4,
        size=SIZE,
        notes=(*notes, *left(contents, [port.name])),
        questions=questions,
    )


def _map(contents: Contents, port: Any, labels: int | None) -> Iterator[Proposal]:
    """(C, h, w): FastestDet."""
    width, rows, columns = sides(port)
    if width is None or width < 6 or (labels is not None and width != 5 + labels):
        return
    if contents.size and (rows, columns) not in ((None, None), grid_of(contents.size, 16)):
        return
    given = {"channels": "bgr", "scale": 1, "placement": "stretch"}
    yield Proposal("FastestDet", {"head": "fastestdet"}, given, width - 5, size=(352, 352))


def _has_prototypes(contents: Contents) -> bool:
    """Whether an output holds the prototypes of masks, (B, 32, h, w)."""
    return any(len(p.shape or ()) == 4 and sides(p)[0] == _MASKS for p in contents.outputs)

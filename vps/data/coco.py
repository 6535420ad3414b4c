"""Detection data sets in COCO's format."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, overload

import torch

from vps.boxes import xywh_to_xyxy
from vps.errors import InputError
from vps.extras import require
from vps.images import read_image
from vps.types import Sample


class _Image(NamedTuple):
    path: Path
    size: tuple[int, int]
    objects: list[tuple[int, str, tuple[float, ...]]]  # id, label, xywh


class CocoSamples(Sequence[Sample]):
    """The images of a COCO annotation file, ordered by id; each is read when it is asked for.

    Attributes:
        image_ids: one an image.
        labels: the names of all categories, in the order of their ids.
        skipped_crowds: number of annotations left out because they mark a crowd, not an object.
        skipped_empty: number of annotations left out because their box has no area.

    Asking for an image raises InputError if its file is missing or its size is not as annotated.
    """

    def __init__(self, annotations: Any, images_folder: Path) -> None:
        content = annotations.dataset
        names = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
        self.labels = tuple(names[key] for key in sorted(names))
        self._images = {
            record["id"]: _Image(
                images_folder / record["file_name"], (record["height"], record["width"]), []
            )
            for record in sorted(content["images"], key=lambda record: record["id"])
        }
        self.image_ids = tuple(self._images)
        self.skipped_crowds = self.skipped_empty = 0
        for entry in sorted(content["annotations"], key=lambda entry: entry["id"]):
            box = tuple(float(value) for value in entry["bbox"])
            if entry.get("iscrowd"):
                self.skipped_crowds += 1
            elif min(box[2:]) <= 0:
                self.skipped_empty += 1
            else:
                found = (entry["id"], names[entry["category_id"]], box)
                self._images[entry["image_id"]].objects.append(found)

    def __len__(self) -> int:
        return len(self.image_ids)

    def __iter__(self) -> Iterator[Sample]:
        return (self._read(image_id) for image_id in self.image_ids)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self._read(image_id) for image_id in self.image_ids[index]]
        return self._read(self.image_ids[index])

    def _read(self, image_id: int) -> Sample:
        record = self._images[image_id]
        image = read_image(record.path)
        if image.shape[:2] != record.size:
            raise InputError(
                f"image {record.path} has {image.shape[0]} x {image.shape[1]} pixels (height x "
                f"width), but is annotated as {record.size[0]} x {record.size[1]}; is it another "
                "one?"
            )
        boxes = torch.tensor([box for _, _, box in record.objects], dtype=torch.float64)
        return Sample(
            image=image,
            image_id=image_id,
            boxes=xywh_to_xyxy(boxes.reshape(-1, 4)).numpy(),
            labels=tuple(label for _, label, _ in record.objects),
            object_ids=tuple(number for number, _, _ in record.objects),
        )


def read_coco(annotations: str | PathLike[str], images_folder: str | PathLike[str]) -> CocoSamples:
    """Read a COCO annotation file.

    Args:
        annotations: the JSON file, e.g. instances_val2017.json.
        images_folder: where the files lie that it names, e.g. val2017.

    Returns:
        A sequence of samples, boxes xyxy in pixels; images without objects are among them.

    Raises:
        InputError: file or folder is missing, or the file is not in COCO's detection format.
        MissingExtraError: pycocotools is not installed.
    """
    path, folder = Path(annotations), Path(images_folder)
    if not path.is_file():
        raise InputError(f"annotation file {path} does not exist")
    if not folder.is_dir():
        raise InputError(f"image folder {folder} does not exist")
    coco = require("pycocotools.coco", extra="eval")
    try:
        # It reports its progress by print.
        with contextlib.redirect_stdout(io.StringIO()):
            return CocoSamples(coco.COCO(str(path)), folder)
    except (ValueError, AssertionError) as error:
        raise InputError(f"{path} is not a COCO annotation file: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not in COCO's detection format: images, categories or annotations are "
            f"missing or incomplete ({error})"
        ) from error

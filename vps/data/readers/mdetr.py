"""Referring expressions in the JSON form of MDETR (Kamath et al., ICCV 2021)."""

from __future__ import annotations

from os import PathLike
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut
from vps.data.readers.coco_records import OddRecordError, image_size, make_entries
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)
from vps.data.readers.phrases import Phrases
from vps.data.sample import Id

SEVERAL = "phrase of none or several objects"


def read_mdetr(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    strict: bool = False,
    dataset_name: str | None = None,
    outside: bool = False,
    name: str = "refcoco",
) -> Dataset:
    """Read a file like finetune_refcoco_val.json: COCO's format with an "image" for each phrase.

    An image record holds `caption`, the phrase, and `original_id`, the image's id in COCO, by which
    phrases are brought together; the record's own id becomes that of the phrase. Its annotation
    holds the box, xywh. A phrase of none or of several objects is left out and counted.

    Args:
        annotations: the JSON file.
        images: the folder of COCO's images, e.g. train2014.
        dataset_name: "refcoco", "refcoco+" or "refcocog", where a file holds several; by default,
            all of them.
        strict: whether a phrase that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        A grounding set.

    Raises:
        InputError: file or folder is missing, of another format, or without that data set.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    with checked_format(path, "MDETR's form of referring expressions"):
        content = read_json(path)
        objects: dict[Id, list[Any]] = {record["id"]: [] for record in content["images"]}
        for item in content["annotations"]:
            objects[item["image_id"]].append(item)
        records = content["images"]
        if dataset_name is not None:
            names = dict.fromkeys(str(record["dataset_name"]) for record in records)
            choose(names, dataset_name, "dataset_name")
            records = [record for record in records if record["dataset_name"] == dataset_name]
        phrases = Phrases(left_out)
        for record in records:
            own = objects[record["id"]]
            phrases.add(
                record["original_id"],
                record["id"],
                record["caption"],
                phrases.object_of(own[0]) if len(own) == 1 else OddRecordError(SEVERAL),
                image_size(record),
            )
        originals = {record["original_id"]: record for record in records}
        return Dataset(
            name,
            make_entries(originals, folder, phrases.by_image()),
            grounding=True,
            left_out=left_out,
        )

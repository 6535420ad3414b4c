"""Referring expressions in the JSON form of MDETR (Kamath et al., ICCV 2021)."""

from __future__ import annotations

from collections import Counter
from os import PathLike
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Annotation, Dataset
from vps.data.readers.coco import EMPTY_BOX, make_entry, read_annotation
from vps.data.readers.files import checked_format, existing_file, existing_folder, read_json
from vps.data.readers.refcoco import NO_PHRASE
from vps.data.sample import Id

SEVERAL = "phrase of none or several objects"


def read_mdetr(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
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
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        A grounding set.

    Raises:
        InputError: file or folder is missing, of another format, or without that data set.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
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
        found: dict[Id, list[Annotation]] = {}
        skipped: Counter[str] = Counter()
        for record in records:
            own, phrase = objects[record["id"]], str(record["caption"]).strip()
            item = read_annotation(own[0], phrase) if len(own) == 1 else None
            kept = found.setdefault(record["original_id"], [])
            if item is not None and phrase:
                kept.append(item._replace(id=record["id"]))
            else:
                skipped[SEVERAL if len(own) != 1 else EMPTY_BOX if item is None else NO_PHRASE] += 1
        originals = {record["original_id"]: record for record in records}
        entries = [
            make_entry({**originals[image_id], "id": image_id}, folder, kept)
            for image_id, kept in found.items()
        ]
        return Dataset(name, entries, grounding=True, skipped=skipped)

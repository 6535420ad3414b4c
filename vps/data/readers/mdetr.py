"""Referring expressions in the JSON form of MDETR (Kamath et al., ICCV 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.coco_records import (
    NO_IMAGE,
    NO_RECORD,
    OddRecordError,
    Record,
    image_records,
    image_size,
    list_of,
    make_entries,
    place_of,
)
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)
from vps.data.readers.image_names import image_names
from vps.data.readers.phrases import Phrases
from vps.data.readers.values import IdTable, plain_id
from vps.data.sample import Id

SEVERAL = "phrase of none or several objects"
NO_SET = "image without a dataset_name"
NO_ORIGINAL = "image without an original_id"
ORIGINAL_TWICE = "original_id of several images"


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
    holds the box, xywh. A phrase of none or of several objects is left out and told in
    `Dataset.left_out`, and so is an odd image or annotation.

    Args:
        annotations: the JSON file.
        images: the folder of COCO's images, e.g. train2014.
        dataset_name: "refcoco", "refcoco+" or "refcocog", where a file holds several; by default,
            all of them.
        strict: whether anything that would be left out is an error.
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
        given = list_of(content, "images")
        if dataset_name is not None:
            given = _of_set(given, dataset_name, left_out)
        # A record is a phrase: two of one id are two phrases, unless all that is in them agrees.
        records = image_records(given, left_out, content_of=lambda record: record)
        originals = _originals(records, left_out)
        objects = _objects(list_of(content, "annotations"), content["images"], left_out)
        phrases = Phrases(left_out)
        for key, image_id in originals.items():
            record, own = records[key], objects.get(key, [])
            about = phrases.object_of(own[0]) if len(own) == 1 else OddRecordError(SEVERAL)
            phrases.add(image_id, key, record.get("caption"), about, image_size(record))
        pictures = {image_id: records[key] for key, image_id in originals.items()}
        return Dataset(
            name,
            make_entries(pictures, folder, phrases.by_image()),
            grounding=True,
            left_out=left_out,
        )


def _of_set(given: list[Any], wanted: str, left_out: LeftOut) -> list[Any]:
    """The image records of one data set."""
    found: dict[str, list[Any]] = {}
    for number, record in enumerate(given):
        if isinstance(record, Mapping) and isinstance(record.get("dataset_name"), str):
            found.setdefault(record["dataset_name"], []).append(record)
        else:
            left_out.add(NO_SET, f"images[{number}]: {in_brief(record)}", unit="image")
    return choose(found, wanted, "dataset_name")


def _originals(records: Mapping[Id, Record], left_out: LeftOut) -> dict[Id, Id]:
    """The id of its image in COCO by the id of a phrase."""
    found: dict[Id, Id] = {}
    files: dict[str, set[tuple[str, ...]]] = {}
    first: dict[str, Id] = {}
    for key, record in records.items():
        image_id = plain_id(record.get("original_id"))
        if image_id is None:
            place = f"image {key}, original_id {in_brief(record.get('original_id'))}"
            left_out.add(NO_ORIGINAL, place, unit="image")
            continue
        # Results lie in folders of that name, so 1 and "1" are one.
        found[key] = first.setdefault(str(image_id), image_id)
        files.setdefault(str(image_id), set()).add(image_names(record))
    for key, image_id in list(found.items()):
        if len(files[str(image_id)]) > 1:
            left_out.add(ORIGINAL_TWICE, f"image {key}, original_id {image_id}", unit="image")
            del found[key]
    if not found:
        raise ValueError("; ".join(["none of its images can be used", *left_out.lines()]))
    return found


def _objects(given: list[Any], images: list[Any], left_out: LeftOut) -> dict[Id, list[Any]]:
    """The annotation records by the id of their phrase; `images` are the records of all phrases."""
    ids = (plain_id(record.get("id")) for record in images if isinstance(record, Mapping))
    known = IdTable(one for one in ids if one is not None)
    found: dict[Id, list[Any]] = {}
    for number, entry in enumerate(given):
        key = known.find(entry.get("image_id")) if isinstance(entry, Mapping) else None
        if key is None:
            reason = NO_IMAGE if isinstance(entry, Mapping) else NO_RECORD
            left_out.add(reason, place_of(entry, number))
        else:
            found.setdefault(key, []).append(entry)
    return found

"""RefCOCO, RefCOCO+, RefCOCOg and gRefCOCO in the layout of REFER (Yu et al., ECCV 2016)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Annotation, Dataset
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.coco_records import (
    NO_IMAGE,
    OddRecordError,
    image_records,
    image_size,
    list_of,
    make_entries,
)
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)
from vps.data.readers.phrases import NO_TARGET, Phrases
from vps.data.readers.restricted_pickle import read_plain_pickle
from vps.data.readers.values import IdTable, plain_id
from vps.data.sample import Id
from vps.errors import one_line

NO_OBJECT = "phrase of an object that is not annotated"
NO_REF = "ref without one of ann_id, image_id, sentences"
NO_SPLIT = "ref without a split"
TWO_OBJECTS = "phrase of an ann_id that several annotations have"
SEVERAL_TARGETS = "phrase of several objects"


def read_refcoco(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    split: str | None = None,
    instances: str | PathLike[str] | None = None,
    no_target: bool = False,
    strict: bool = False,
    outside: bool = False,
    name: str = "refcoco",
) -> Dataset:
    """Read referring expressions; each sentence is an entry of its own, with its id.

    Of gRefCOCO (Liu et al., CVPR 2023), phrases of one object are read, and those of several are
    left out and counted.

    Args:
        annotations: the list of refs: a pickle, e.g. refcoco/refs(unc).p, refcoco/refs(google).p or
            refcocog/refs(umd).p, of which plain values only are read; or the same list as JSON.
        images: the folder of COCO's images, e.g. train2014.
        split: "train", "val", "testA", "testB" or "test"; by default, all that are in the file.
        instances: COCO annotations of the objects referred to; by default, instances.json beside
            the refs, or instances_X.json beside refs_X.json.
        no_target: whether phrases of no object (gRefCOCO) are read, too: what a detector finds for
            one is a box on nothing. Else they are left out and counted.
        strict: whether anything that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        A grounding set of the images that are spoken of.

    Raises:
        InputError: a file or folder is missing or of another format, an unknown split, or a pickle
            that holds anything but plain values and numbers of numpy.
    """
    path, folder = existing_file(annotations, "file of refs"), existing_folder(images, outside)
    source = existing_file(instances or _instances_of(path), "annotation file")
    asked = check_switch(no_target, "no_target")
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    with checked_format(path, "the form of REFER's list of refs"):
        refs = read_json(path) if path.suffix == ".json" else read_plain_pickle(path)
        refs = _of_split(refs, split, left_out)
    with checked_format(source, "COCO's detection format"):
        content = read_json(source)
        given, objects = list_of(content, "images"), _by_id(list_of(content, "annotations"))
    with checked_format(path, f"the form of REFER's list of refs, or not of {source.name}"):
        phrases = Phrases(left_out, no_target=asked)
        records = image_records(_spoken_of(given, refs), left_out)
        _collect(refs, objects, records, phrases, left_out)
        entries = make_entries(records, folder, phrases.by_image())
        entries = [
            dataclasses.replace(entry, absent=phrases.absent_of(entry.image_id))
            for entry in entries
        ]
        return Dataset(name, entries, grounding=True, left_out=left_out)


def _instances_of(path: Path) -> Path:
    split = path.name.removeprefix("refs_") if path.suffix == ".json" else path.name
    return path.with_name("instances.json" if split == path.name else f"instances_{split}")


def _of_split(
    refs: Any, split: str | None, left_out: LeftOut
) -> list[tuple[int, Mapping[str, Any]]]:
    """The refs of a split, each with its place in the list."""
    if not isinstance(refs, list):
        raise TypeError(f"it holds a {type(refs).__name__}, not a list")
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    usable = []
    for number, ref in enumerate(refs):
        if not isinstance(ref, Mapping):
            left_out.add(NO_REF, f"ref {number}: {in_brief(ref)}", unit="ref")
        elif split is not None and not isinstance(ref.get("split"), str):
            left_out.add(NO_SPLIT, f"ref {number}: {in_brief(ref)}", unit="ref")
        else:
            usable.append((number, ref))
            found.setdefault(str(ref.get("split")), []).append((number, ref))
    return usable if split is None else choose(found, split, "split")


def _spoken_of(images: list[Any], refs: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Any]:
    """The image records that refs may be of; what is odd of others is no matter."""
    ids = (plain_id(ref.get("image_id")) for _, ref in refs)
    wanted = IdTable(one for one in ids if one is not None)
    return [
        one
        for one in images
        if not isinstance(one, Mapping)
        or plain_id(one.get("id")) is None
        or wanted.find(one["id"]) is not None
    ]


def _by_id(annotations: list[Any]) -> dict[Id, Any]:
    """The annotation records by id; None for an id of several, of which each may be meant."""
    found: dict[Id, Any] = {}
    for item in annotations:
        key = plain_id(item.get("id")) if isinstance(item, Mapping) else None
        if key is not None:
            found[key] = item if found.setdefault(key, item) == item else None
    return found


def _collect(
    refs: Iterable[tuple[int, Mapping[str, Any]]],
    objects: Mapping[Id, Any],
    records: Mapping[Id, Any],
    phrases: Phrases,
    left_out: LeftOut,
) -> None:
    images, known = IdTable(records), IdTable(objects)
    for number, ref in refs:
        try:
            image_id, about = images.find(ref["image_id"]), _object(ref, known, objects, phrases)
            sentences = [(one["sent_id"], one["sent"]) for one in ref["sentences"]]
        except (KeyError, TypeError) as error:
            left_out.add(NO_REF, f"ref {number}: {in_brief(ref)}: {one_line(error)}", unit="ref")
            continue
        for phrase_id, text in sentences:
            if image_id is None:
                about = OddRecordError(NO_IMAGE, f"image_id {in_brief(ref['image_id'])}")
            size = None if image_id is None else image_size(records[image_id])
            phrases.add(image_id, phrase_id, text, about, size)


def _object(
    ref: Mapping[str, Any], known: IdTable, objects: Mapping[Id, Any], phrases: Phrases
) -> Annotation | OddRecordError:
    """The object that a ref is about, or why it is none or not one."""
    given = ref["ann_id"]
    wanted = given if isinstance(given, list) else [given]
    wanted = [one for one in wanted if one not in (None, -1, "-1")]
    if ref.get("no_target") is True or not wanted:
        return OddRecordError(NO_TARGET)
    if len(wanted) > 1:
        return OddRecordError(SEVERAL_TARGETS)
    found = known.find(wanted[0])
    if found is None:
        return OddRecordError(NO_OBJECT, f"ann_id {in_brief(given)}")
    if objects[found] is None:
        return OddRecordError(TWO_OBJECTS, f"ann_id {in_brief(given)}")
    return phrases.object_of(objects[found])

"""RefCOCO, RefCOCO+ and RefCOCOg in the layout of REFER (Yu et al., ECCV 2016)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Annotation, Dataset
from vps.data.readers.coco import EMPTY_BOX, make_entry, read_annotation
from vps.data.readers.files import checked_format, existing_file, existing_folder, read_json
from vps.data.readers.restricted_pickle import read_plain_pickle
from vps.data.sample import Id

NO_PHRASE = "phrase without text"


def read_refcoco(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    split: str | None = None,
    instances: str | PathLike[str] | None = None,
    outside: bool = False,
    name: str = "refcoco",
) -> Dataset:
    """Read referring expressions; each sentence is an entry of its own, with its id.

    Args:
        annotations: the list of refs: a pickle, e.g. refcoco/refs(unc).p, refcoco/refs(google).p or
            refcocog/refs(umd).p, of which plain values only are read; or the same list as JSON.
        images: the folder of COCO's images, e.g. train2014.
        split: "train", "val", "testA", "testB" or "test"; by default, all that are in the file.
        instances: COCO annotations of the objects referred to; by default, instances.json beside
            the refs, or instances_X.json beside refs_X.json.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        A grounding set of the images that are spoken of.

    Raises:
        InputError: a file or folder is missing or of another format, an unknown split, or a pickle
            that holds anything but plain values.
    """
    path, folder = existing_file(annotations, "file of refs"), existing_folder(images, outside)
    source = existing_file(instances or _instances_of(path), "annotation file")
    with checked_format(path, "the form of REFER's list of refs"):
        refs = read_json(path) if path.suffix == ".json" else read_plain_pickle(path)
        refs = _of_split(refs, split)
        wanted = {ref["ann_id"] for ref in refs}
    with checked_format(source, "COCO's detection format"):
        content = read_json(source)
        objects = {item["id"]: item for item in content["annotations"] if item["id"] in wanted}
        records = {record["id"]: record for record in content["images"]}
    with checked_format(path, f"the form of REFER's list of refs, or not of {source.name}"):
        found, skipped = _collect(refs, objects)
        entries = [make_entry(records[image_id], folder, own) for image_id, own in found.items()]
    return Dataset(name, entries, grounding=True, skipped=skipped)


def _instances_of(path: Path) -> Path:
    split = path.name.removeprefix("refs_") if path.suffix == ".json" else path.name
    return path.with_name("instances.json" if split == path.name else f"instances_{split}")


def _of_split(refs: Any, split: str | None) -> list[Mapping[str, Any]]:
    if not isinstance(refs, list):
        raise TypeError(f"it holds a {type(refs).__name__}, not a list")
    splits = dict.fromkeys(str(ref["split"]) for ref in refs)
    if split is None:
        return refs
    choose(splits, split, "split")
    return [ref for ref in refs if ref["split"] == split]


def _collect(
    refs: Iterable[Mapping[str, Any]], objects: Mapping[Id, Mapping[str, Any]]
) -> tuple[dict[Id, list[Annotation]], Counter[str]]:
    found: dict[Id, list[Annotation]] = {}
    skipped: Counter[str] = Counter()
    for ref in refs:
        item = read_annotation(objects[ref["ann_id"]], "")
        own = found.setdefault(ref["image_id"], [])
        for sentence in ref["sentences"]:
            phrase = str(sentence["sent"]).strip()
            if item is None or not phrase:
                skipped[EMPTY_BOX if item is None else NO_PHRASE] += 1
            else:
                own.append(item._replace(id=sentence["sent_id"], label=phrase))
    return found, skipped

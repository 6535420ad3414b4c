"""Synthetic scenes as data sets: COCO detection, RefCOCO expressions, LVIS with rare classes.

Layout of the folder, `split` being "train", "val" or whatever the caller calls it:

    images/<split>/000000000001.png          scenes of the COCO and RefCOCO files
    images/lvis_<split>/000000000001.png     scenes of the LVIS file, whose names are long-tailed
    annotations/instances_<split>.json       COCO; context objects carry `cause`, an RLE mask
    annotations/causes_<split>.json          the same, with all bars and waves as objects, too
    annotations/refs_<split>.json            RefCOCO's list of refs, as JSON instead of a pickle
    annotations/lvis_<split>.json            LVIS
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vps.core.extras import require
from vps.core.file_names import check_plain_name
from vps.core.files import write_atomically
from vps.core.numbers import check_whole
from vps.data.scenes.expressions import choose_expression, expressions
from vps.data.scenes.layouts import CATEGORIES, CAUSES, CONTEXT, NAMES, lay_out, with_causes
from vps.data.scenes.scenes import Scene, SceneObject, draw_scene
from vps.errors import InputError

SceneRecord = dict[str, Any]

# LVIS calls a class rare up to 10 training images, common up to 100 (Gupta et al., CVPR 2019).
_RARE, _COMMON = 10, 100
_TRAINING_SCENES, _TRAINING_SEED = 1000, 0
_PLAIN_NAMES = len(NAMES) - len(CONTEXT)


MOST_SCENES = 100_000
"""In a folder: some 3 GB."""


def write_coco(folder: Path, split: str, count: int, *, seed: int) -> Path:
    """Draw `count` scenes and write them as a COCO detection data set with RefCOCO expressions.

    Returns:
        The path of the instances file; the refs file lies beside it.

    Raises:
        InputError: no scenes asked for, a split that is no plain name, or a folder that cannot be
            written.
    """
    check_plain_name(split, "split")
    images: list[SceneRecord] = []
    annotations: list[SceneRecord] = []
    causes: list[SceneRecord] = []
    refs: list[SceneRecord] = []
    for scene, shown, entry in _draw_all(folder, split, count, seed):
        images.append(entry)
        own = [
            _annotation(scene, item, entry["id"], len(annotations) + number + 1)
            for number, item in enumerate(scene.objects)
        ]
        annotations += own
        causes += [_annotation(scene, item, entry["id"], 0) for item in shown]
        refs += _refs(scene, entry, own, split, len(refs))
    categories = [
        {"id": i + 1, "name": name, "supercategory": "context" if name in CONTEXT else "plain"}
        for i, name in enumerate((*CATEGORIES, *CAUSES))
    ]
    for number, cause in enumerate(causes, start=len(annotations) + 1):
        cause["id"] = number
    path = folder / "annotations" / f"instances_{split}.json"
    _write_json(path, _data_set(images, annotations, categories[: len(CATEGORIES)]))
    _write_json(
        path.with_name(f"causes_{split}.json"),
        _data_set(images, annotations + causes, categories),
    )
    _write_json(path.with_name(f"refs_{split}.json"), refs)
    return path


def write_lvis(folder: Path, split: str, count: int, *, seed: int) -> Path:
    """Draw `count` scenes whose coloured names follow a power law and write them as LVIS.

    In one image in ten with several objects of a class, one of them is left out and the class is
    listed in `not_exhaustive_category_ids`, as LVIS means it. Errors as for `write_coco`.

    Returns:
        The path of the annotations file.
    """
    check_plain_name(split, "split")
    rng = np.random.default_rng([seed, 7])
    ids = {name: number + 1 for number, name in enumerate(NAMES)}
    images: list[SceneRecord] = []
    annotations: list[SceneRecord] = []
    for scene, _, entry in _draw_all(folder, f"lvis_{split}", count, seed, _long_tail()):
        present = Counter(item.name for item in scene.objects)
        several = [name for name, number in present.items() if number > 1]
        partial = str(rng.choice(several)) if several and rng.random() < 0.1 else None
        absent = [name for name in NAMES if name not in present]
        negative = rng.choice(absent, size=5, replace=False)
        entry["neg_category_ids"] = sorted(ids[str(name)] for name in negative)
        entry["not_exhaustive_category_ids"] = [ids[partial]] if partial else []
        images.append(entry)
        for item in scene.objects:
            if item.name == partial:
                partial = None
                continue
            annotation = _annotation(scene, item, entry["id"], len(annotations) + 1)
            annotation["category_id"] = ids[item.name]
            annotations.append(annotation)
    path = folder / "annotations" / f"lvis_{split}.json"
    _write_json(path, _data_set(images, annotations, _lvis_categories(annotations)))
    return path


def _draw_all(
    folder: Path, split: str, count: int, seed: int, name_weights: np.ndarray | None = None
) -> Iterator[tuple[Scene, list[SceneObject], SceneRecord]]:
    """Each scene, its bars and waves, and what is said of its image."""
    check_whole("count", count, 1, MOST_SCENES)
    check_whole("seed", seed, 0, 2**63)
    target = folder / "images" / split
    try:
        target.mkdir(parents=True, exist_ok=True)
        (folder / "annotations").mkdir(exist_ok=True)
        for index in range(count):
            drawn = draw_scene(with_causes(lay_out(seed, index, name_weights=name_weights)))
            own = tuple(item for item in drawn.objects if item.category not in CAUSES)
            scene = replace(drawn, objects=own)
            shown = [item for item in drawn.objects if item.category in CAUSES]
            name = f"{index + 1:012d}.png"
            Image.fromarray(scene.image).save(target / name)
            height, width = scene.layout.size
            entry = {"id": index + 1, "file_name": name, "height": height, "width": width}
            yield scene, shown, {**entry, "coco_url": "", "license": 1}
    except OSError as error:
        raise InputError(f"cannot write scenes to {target}: {error.strerror}") from None


def _annotation(scene: Scene, item: SceneObject, image_id: int, number: int) -> SceneRecord:
    x1, y1, x2, y2 = item.box
    annotation = {
        "id": number,
        "image_id": image_id,
        "category_id": (*CATEGORIES, *CAUSES).index(item.category) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(np.count_nonzero(item.mask)),
        "segmentation": _rle(item.mask),
        "iscrowd": 0,
        "colour": item.colour,
        "truncated": item.truncated,
    }
    if item.cause is not None:
        annotation["cause"] = _rle(item.cause)
    return annotation


def _rle(mask: np.ndarray) -> SceneRecord:
    encoded = require("pycocotools.mask", extra="eval").encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}


def _refs(
    scene: Scene,
    entry: SceneRecord,
    annotations: list[SceneRecord],
    split: str,
    before: int,
) -> list[SceneRecord]:
    """Up to three expressions of a scene, each of another object."""
    rng = np.random.default_rng([scene.layout.seed, scene.layout.index, 9])
    left = expressions(scene.things)
    refs: list[SceneRecord] = []
    while left and len(refs) < 3:
        chosen = choose_expression(left, rng)
        left = [expression for expression in left if expression.target != chosen.target]
        number = before + len(refs) + 1
        annotation = annotations[chosen.target]
        sentence = {
            "sent_id": number,
            "sent": chosen.text,
            "raw": chosen.text,
            "tokens": chosen.text.split(),
        }
        refs.append(
            {
                "ref_id": number,
                "ann_id": annotation["id"],
                "image_id": entry["id"],
                "category_id": annotation["category_id"],
                "file_name": entry["file_name"],
                "split": split,
                "kind": chosen.kind,
                "sentences": [sentence],
                "sent_ids": [number],
            }
        )
    return refs


def _long_tail() -> np.ndarray:
    """How often each plain name is drawn: a power law, shapes and colours mixed up in rank."""
    order = np.random.default_rng(0).permutation(_PLAIN_NAMES)
    weights = np.empty(_PLAIN_NAMES)
    weights[order] = (np.arange(_PLAIN_NAMES) + 1.0) ** -1.6
    return weights / weights.sum()


@cache
def _training_counts() -> Counter[str]:
    """In how many of 1,000 training scenes each name occurs: what `frequency` is defined by."""
    counts: Counter[str] = Counter()
    for index in range(_TRAINING_SCENES):
        layout = lay_out(_TRAINING_SEED, index, name_weights=_long_tail())
        annotated = (element for element in layout.elements if element.category)
        counts.update({f"{element.colour} {element.category}".strip() for element in annotated})
    return counts


def _lvis_categories(annotations: Iterable[SceneRecord]) -> list[SceneRecord]:
    instances: Counter[int] = Counter()
    seen: dict[int, set[int]] = {}
    for annotation in annotations:
        instances[annotation["category_id"]] += 1
        seen.setdefault(annotation["category_id"], set()).add(annotation["image_id"])
    categories = []
    for number, name in enumerate(NAMES, start=1):
        trained = _training_counts()[name]
        frequency = "r" if trained <= _RARE else "c" if trained <= _COMMON else "f"
        categories.append(
            {
                "id": number,
                "name": name.replace(" ", "_"),
                "synonyms": [name.replace(" ", "_")],
                "synset": f"{name.split()[-1]}.n.01",
                "def": f"a {name} in a synthetic scene",
                "frequency": frequency,
                "image_count": len(seen.get(number, ())),
                "instance_count": instances[number],
            }
        )
    return categories


def _data_set(
    images: list[SceneRecord],
    annotations: list[SceneRecord],
    categories: list[SceneRecord],
) -> SceneRecord:
    return {
        "info": {"description": "synthetic scenes with known causes", "version": "1"},
        "licenses": [{"id": 1, "name": "Apache-2.0", "url": ""}],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }


def _write_json(path: Path, content: object) -> None:
    write_atomically(path, json.dumps(content).encode())

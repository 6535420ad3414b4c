"""The public doors, and the broken files that are handed in at each."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tools.fuzzing import detector
from tools.fuzzing.calls import try_call
from tools.fuzzing.mutation import NUMBERS, TEXTS, Random, as_json, broken_bytes, broken_tree
from tools.fuzzing.whole import picture, study_settings
from vps import Explanation
from vps.cli.main import main
from vps.data.dataset import Dataset
from vps.data.readers.formats import open_dataset
from vps.errors import InputError
from vps.results.answer import Answer

ONE_SHARD = ("--shard", "1/1", "--quiet")
"""A study without its report, which takes longer than all else."""

Door = Callable[[Path, Path, Random], int | None]
"""Takes the folder of whole inputs, an empty folder, and what draws the changes."""


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def _broken_json(path: Path, random: Random) -> bytes:
    """Mostly other values in the same form, sometimes broken text."""
    content = _read_json(path)
    if random.random() < 0.85:
        return as_json(broken_tree(content, random))
    return broken_bytes(as_json(content), random)


def _annotations(format: str, name: str) -> Door:
    def door(whole: Path, work: Path, random: Random) -> None:
        path, source = work / name, whole / name
        if source.suffix == ".json":
            path.write_bytes(_broken_json(source, random))
        else:
            path.write_bytes(broken_bytes(source.read_bytes(), random))
        images = None if source.suffix == ".tsv" else whole / "images"
        _read_all(open_dataset(format, path, images))

    return door


def _read_all(dataset: Dataset) -> None:
    for number in range(len(dataset)):
        try:
            sample = dataset[number]
        except InputError:
            continue
        for place in range(len(sample.labels)):
            sample.mask(place)


def _refs(whole: Path, work: Path, random: Random) -> None:
    """Refs as JSON or as a pickle, or the objects that they speak of."""
    shutil.copy(whole / "coco.json", work / "instances.json")
    name = "refs.json" if random.random() < 0.6 else "refs.p"
    shutil.copy(whole / name, work)
    broken = work / (name if random.random() < 0.8 else "instances.json")
    if broken.suffix == ".json":
        broken.write_bytes(_broken_json(broken, random))
    else:
        broken.write_bytes(broken_bytes(broken.read_bytes(), random))
    _read_all(open_dataset("refcoco", work / name, whole / "images"))


def _selection(whole: Path, work: Path, random: Random) -> int:
    """Annotations, through all of a study."""
    path = work / "coco.json"
    path.write_bytes(_broken_json(whole / "coco.json", random))
    settings = study_settings(whole, work / "out")
    settings["datasets"]["drawn"]["annotations"] = str(path)
    return _study(settings, work)


def _lists(whole: Path, work: Path, random: Random) -> int:
    source = whole / "study" / "lists" / "drawn.json"
    path = work / "cases.json"
    chosen = source if random.random() < 0.7 else whole / "vps_list.json"
    path.write_bytes(_broken_json(chosen, random))
    settings = study_settings(whole, work / "out")
    settings["datasets"]["drawn"]["cases"] = str(path)
    return _study(settings, work)


def _configs(whole: Path, work: Path, random: Random) -> int:
    settings = _read_json(whole / "config.json")
    settings["out"] = str(work / "out")
    if random.random() < 0.2:
        settings["scenes"] = {"folder": str(work / "scenes"), "count": 1, "split": "a", "seed": 1}
    if random.random() < 0.9:
        return _study(broken_tree(settings, random), work)
    path = work / "config.yaml"
    path.write_bytes(broken_bytes(as_json(settings), random))
    return main(["study", str(path), *ONE_SHARD])


def _study(settings: Any, work: Path) -> int:
    path = work / "config.yaml"
    path.write_bytes(as_json(settings))  # which YAML reads, too
    return main(["study", str(path), *ONE_SHARD])


def _report(whole: Path, work: Path, random: Random) -> int:
    """A file of a finished study is another, and its report is made again."""
    shutil.copytree(whole / "study", work / "study")
    files = sorted((work / "study").rglob("*.json"))
    rows = [path for path in files if path.name.endswith(".row.json")]
    chosen = rows if random.random() < 0.8 else files
    path = chosen[int(random.integers(len(chosen)))]
    path.write_bytes(_broken_json(path, random))
    return main(["report", str(work / "study")])


def _images(whole: Path, work: Path, random: Random) -> int:
    path = work / "image.png"
    path.write_bytes(broken_bytes(picture(whole, int(random.integers(100))), random))
    return main(["detect", str(path), "--detector", detector.NAME, "--prompt", "cat . dog"])


def _results(whole: Path, work: Path, random: Random) -> None:
    kind = Explanation if random.random() < 0.6 else Answer
    folder = whole / ("map" if kind is Explanation else "answer")
    for path in folder.iterdir():
        shutil.copy(path, work)
    arrays = sorted(work.glob("*.npz"))[0]
    record = arrays.with_suffix(".json")
    draw = random.random()
    if draw < 0.5:
        _break_arrays(arrays, random)
    else:
        paths = sorted(work.glob("*.json"))
        path = paths[int(random.integers(len(paths)))]
        path.write_bytes(_broken_json(path, random))
    if draw < 0.9:
        _sign(arrays, record)
    result: Any = kind.load(arrays)
    for name in ("heatmap", "insertion_auc", "highest_score", "sentence"):
        shown = getattr(result, name, None)
        if callable(shown):
            shown()
    result.save(work / "again")


def _break_arrays(path: Path, random: Random) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = sorted(arrays)[int(random.integers(len(arrays)))]
    array = arrays[name].copy()
    kind = random.integers(6)
    if kind == 0:
        array = array.astype(random.choice(["f8", "i8", "u1", "U3", "?", "c16"]))
    elif kind == 1:
        array = array[:-1]
    elif kind == 2:
        array = array[None]
    elif kind == 3 and array.size:
        value = NUMBERS[int(random.integers(len(NUMBERS)))]
        with np.errstate(all="ignore"):
            array.flat[int(random.integers(array.size))] = np.array(value, float).astype(
                array.dtype
            )
    elif kind == 4:
        del arrays[name]
    else:
        array = np.zeros([1 << 24, 4][: int(random.integers(1, 3))], np.uint8)
    if kind != 4:
        arrays[name] = array
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path.write_bytes(
        buffer.getvalue() if random.random() < 0.8 else broken_bytes(buffer.getvalue(), random)
    )


def _sign(arrays: Path, record: Path) -> None:
    """Else all that is broken would be refused for its digest."""
    try:
        content = _read_json(record)
        content["arrays_sha256"] = hashlib.sha256(arrays.read_bytes()).hexdigest()
        record.write_bytes(as_json(content))
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass


def _onnx(whole: Path, work: Path, random: Random) -> int:
    content = _read_json(whole / "onnx.json")
    path = work / "light.yaml"
    if random.random() < 0.6:
        content = broken_tree(content, random)
    else:
        (work / "model.onnx").write_bytes(broken_bytes((whole / "model.onnx").read_bytes(), random))
        content["model"] = "model.onnx"
    path.write_bytes(as_json(content))
    image = str(whole / "images" / "1.png")
    return main(["detect", image, "--detector", f"onnx:{path}", "--threshold", "0.1"])


def _options(whole: Path, work: Path, random: Random) -> int:
    given = {
        **{"--detector": detector.NAME, "--prompt": "cat . dog", "--threshold": "0.1"},
        **{"--regions": "4", "--region-method": "grid", "--search": "leave_one_out"},
        **{"--batch-size": "4", "--seed": "0", "--fill": "mean", "--mode": "object"},
        **{"--format": "png", "--time-limit": "20", "--out": str(work / "out")},
        "--detection": "1",
    }
    for _ in range(int(random.integers(1, 3))):
        flag = list(given)[int(random.integers(len(given)))]
        pool = NUMBERS if random.random() < 0.6 else TEXTS
        given[flag] = str(pool[int(random.integers(len(pool)))])
    image = str(whole / "images" / "1.png")
    return main(["explain", image, "--quiet", *(part for pair in given.items() for part in pair)])


def _calls(whole: Path, work: Path, random: Random) -> None:
    try_call(random)


DOORS: dict[str, tuple[int, Door]] = {
    "coco": (14, _annotations("coco", "coco.json")),
    "lvis": (8, _annotations("lvis", "lvis.json")),
    "refcoco": (6, _refs),
    "refcoco-mdetr": (5, _annotations("refcoco-mdetr", "mdetr.json")),
    "refcoco-tsv": (5, _annotations("refcoco-tsv", "refs.tsv")),
    "selection": (4, _selection),
    "lists": (8, _lists),
    "configs": (12, _configs),
    "report": (1, _report),
    "images": (12, _images),
    "results": (10, _results),
    "onnx": (5, _onnx),
    "options": (3, _options),
    "calls": (7, _calls),
}
"""By kind of input: its share in percent, and what is tried."""

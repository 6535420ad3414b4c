"""What a study needs before its first case: scenes, data sets, detectors, lists of cases."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
from collections.abc import Callable
from pathlib import Path

from vps.archive import write_atomically
from vps.config import Config, ScenesConfig
from vps.data.cases import CaseList
from vps.data.dataset import Dataset
from vps.data.files import checked_format, existing_file, read_json
from vps.data.formats import open_dataset
from vps.data.scene_files import write_coco, write_lvis
from vps.data.select import select_cases
from vps.data.vps_list import read_vps_list
from vps.detector import Detector
from vps.errors import InputError
from vps.targets import Kind
from vps.typed import to_plain

ANY_PHRASE = ("object",)
"""What an open-vocabulary detector is loaded with until it is asked for a phrase."""


def open_data(config: Config, name: str) -> Dataset:
    """The data set of a name in the config.

    Raises:
        InputError: see `vps.data.formats.open_dataset`.
    """
    data = config.datasets[name]
    return open_dataset(data.format, data.annotations, data.images, name=name, **data.options)


def load_detector(config: Config, dataset: Dataset, loader: str, device: str) -> Detector:
    """The detector of a study, asked for the labels of a data set or of the config.

    Args:
        config: of the study.
        dataset: what it will look at.
        loader: "module:function", takes a name, labels, device, dtype and options.
        device: where it runs.
    """
    module, function = loader.split(":")
    settings = config.detector
    labels = settings.labels or dataset.labels or ANY_PHRASE
    load: Callable[..., Detector] = getattr(importlib.import_module(module), function)
    return load(settings.name, labels, device=device, dtype=settings.dtype, **settings.options)


def find_lists(
    config: Config, loader: str, device: str, show: Callable[[str, int, int], None] | None = None
) -> dict[str, CaseList]:
    """The cases of each data set: read where the config names a list, else selected.

    Selected lists are kept in the study's folder, and made again only when what they depend on
    has changed.

    Args:
        config: of the study.
        loader, device: see `load_detector`.
        show: called with a data set's name, images looked at, and images in all.

    Raises:
        InputError: data, detector or list that cannot be used, or nothing that was selected.
    """
    lists = {}
    for name, data in config.datasets.items():
        if data.cases is not None:
            lists[name] = read_list(config, name)
            continue
        path = list_path(config, name)
        origin = _origin(config, name)
        kept = CaseList.load(path) if path.is_file() else None
        if kept is None or kept.settings.get("origin") != origin:
            dataset = open_data(config, name)
            detector = load_detector(config, dataset, loader, device)
            found = select_cases(
                detector,
                dataset,
                config.select,
                rename=data.rename,
                batch_size=config.batch_size,
                strict=config.run.strict,
                progress=None if show is None else _named(show, name),
            )
            settings = {**found.settings, "origin": origin}
            kept = dataclasses.replace(found, settings=settings)
            kept.save(path)
        lists[name] = kept
    return lists


def list_path(config: Config, dataset: str) -> Path:
    """Where the list of a data set's selected cases lies."""
    return Path(config.out) / "lists" / f"{dataset}.json"


def read_list(config: Config, name: str) -> CaseList:
    """The cases of a data set: the list that the config names, of ours or of VPS, or the selected.

    Raises:
        InputError: the file is missing, or neither kind of list.
    """
    given = config.datasets[name].cases
    path = list_path(config, name) if given is None else existing_file(given, "list of cases")
    with checked_format(path, "the form of a list of cases"):
        content = read_json(path)
    if isinstance(content, dict) and "version" in content:
        return CaseList.load(path)
    cases = read_vps_list(path)
    counts = {Kind.CORRECT.value: len(cases)}
    return CaseList(name, config.detector.name, config.detector.labels or (), {}, counts, cases)


def draw_scenes(scenes: ScenesConfig) -> None:
    """Draw the scenes of a config, unless they are there.

    Raises:
        InputError: other scenes are there under the same name.
        OutputError: the folder cannot be written.
    """
    folder = Path(scenes.folder)
    marker = folder / f"scenes_{scenes.split}.json"
    wanted = {"split": scenes.split, "count": scenes.count, "seed": scenes.seed}
    if marker.is_file():
        found = json.loads(marker.read_text(encoding="utf-8"))
        if found != wanted:
            raise InputError(
                f"{folder} holds other scenes ({found}) than are asked for ({wanted}): name "
                "another folder or remove this one"
            )
        return
    for write in (write_coco, write_lvis):
        write(folder, scenes.split, scenes.count, seed=scenes.seed)
    write_atomically(marker, json.dumps(wanted).encode())


def _origin(config: Config, name: str) -> str:
    """A digest of all that the selection of a data set's cases depends on."""
    detector = to_plain(config.detector)
    del detector["device"]
    parts = [to_plain(config.datasets[name]), detector, to_plain(config.select)]
    scenes = to_plain(config.scenes)
    return hashlib.sha256(json.dumps([*parts, scenes], sort_keys=True).encode()).hexdigest()[:12]


def _named(show: Callable[[str, int, int], None], name: str) -> Callable[[int, int], None]:
    return lambda done, total: show(name, done, total)

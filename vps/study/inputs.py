"""What a study needs before its first case: scenes, data sets, detectors, lists of cases."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from vps.core.detector import Detector
from vps.core.extras import require
from vps.core.files import open_file, write_atomically
from vps.core.names import distinct_names
from vps.core.schema import to_plain
from vps.core.targets import Kind
from vps.data.cases.cases import CaseList
from vps.data.cases.parts import Parts
from vps.data.cases.select import select_cases
from vps.data.dataset import Dataset
from vps.data.readers.files import checked_format, existing_file, read_json
from vps.data.readers.formats import annotation_files, open_dataset, options_of
from vps.data.readers.vps_list import read_vps_list
from vps.data.scenes.scene_files import write_coco, write_lvis
from vps.errors import (
    DetectorError,
    InputError,
    LabelsError,
    OutputError,
    VpsError,
    one_line,
)
from vps.study.config import ScenesConfig, StudyConfig
from vps.study.memory import BatchFit

ANY_PHRASE = ("object",)
"""What an open-vocabulary detector is loaded with until it is asked for a phrase."""


def open_data(config: StudyConfig, name: str) -> Dataset:
    """The data set of a name in the config.

    Raises:
        InputError: see `vps.data.readers.formats.open_dataset`.
    """
    data = config.datasets[name]
    # A run that is to stop at the first fault stops at one of the annotations, too.
    strict = {"strict": True} if config.run.strict and "strict" in options_of(data.format) else {}
    options = {**strict, **data.options}
    return open_dataset(data.format, data.annotations, data.images, name=name, **options)


def asked_labels(config: StudyConfig, dataset: Dataset) -> tuple[str, ...]:
    """What a detector is asked for: the config's labels, or the data set's.

    Of names that differ in case and spaces only, the first: few text models tell them apart.
    """
    return config.detector.labels or distinct_names(dataset.labels)


def load_detector(config: StudyConfig, dataset: Dataset, loader: str, device: str) -> Detector:
    """The detector of a study, asked for the labels of a data set or of the config.

    Args:
        config: of the study.
        dataset: what it will look at.
        loader: "module:function", takes a name, the labels of the data set, device, dtype, labels
            where the config has some, and options.
        device: where it runs.

    Raises:
        VpsError: it cannot be loaded, whatever its library raises.
    """
    module, function = loader.split(":")
    settings = config.detector
    labels = asked_labels(config, dataset) or ANY_PHRASE
    chosen = {} if settings.labels is None else {"labels": settings.labels}
    load: Callable[..., Detector] = getattr(importlib.import_module(module), function)
    try:
        return load(
            settings.name,
            labels,
            device=device,
            dtype=settings.dtype,
            **chosen,
            **settings.options,
        )
    except LabelsError as error:
        if chosen:
            raise
        raise LabelsError(
            f"data set {dataset.name}: {error}; set detector.labels in the config to the names "
            "that are to be asked for, and rename of the data set where its own differ"
        ) from error
    except VpsError:
        raise
    except Exception as error:
        what = f"detector {settings.name} cannot be loaded: {one_line(error)}"
        raise DetectorError(what) from error


def find_lists(
    config: StudyConfig,
    loader: str,
    device: str,
    show: Callable[[str, int, int], None] | None = None,
) -> dict[str, CaseList]:
    """The cases of each data set: read where the config names a list, else selected.

    Selected lists are kept in the study's folder, and made again only when what they depend on
    has changed. A selection that was killed goes on where it was.

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
        # Of several runs that start on one folder, one selects and the others wait for its list.
        with _locked(list_path(config, name).with_suffix(".lock")):
            lists[name] = _selected(config, name, loader, device, show)
    return lists


def _selected(
    config: StudyConfig,
    name: str,
    loader: str,
    device: str,
    show: Callable[[str, int, int], None] | None,
) -> CaseList:
    """The list of the study's folder, made first if it is not there or of other settings."""
    path = list_path(config, name)
    data = config.datasets[name]
    annotations = _digest(
        annotation_files(data.format, data.annotations, data.images, **data.options)
    )
    origin = _origin(config, name, annotations)
    kept = CaseList.load(path) if path.is_file() else None
    if kept is not None and kept.settings.get("origin") == origin:
        return kept
    dataset = open_data(config, name)
    detector = load_detector(config, dataset, loader, device)
    parts = Parts(path.with_suffix(".parts"), origin)

    def select(batch_size: int) -> CaseList:
        return select_cases(
            detector,
            dataset,
            config.select,
            rename=config.datasets[name].rename,
            batch_size=batch_size,
            strict=config.run.strict,
            progress=None if show is None else partial(show, name),
            parts=parts,
        )

    found = BatchFit(config.batch_size).run(select)
    settings = {**found.settings, "origin": origin, "annotations": annotations}
    kept = dataclasses.replace(found, settings=settings)
    kept.save(path)
    parts.remove()
    return kept


def list_path(config: StudyConfig, dataset: str) -> Path:
    """Where the list of a data set's selected cases lies."""
    return Path(config.out) / "lists" / f"{dataset}.json"


def read_list(config: StudyConfig, name: str) -> CaseList:
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
    with _locked(marker.with_suffix(".lock")):
        if marker.is_file():
            with checked_format(marker, "the form of a note on scenes"):
                found = read_json(marker)
            if found != wanted:
                raise InputError(
                    f"{folder} holds other scenes ({found}) than are asked for ({wanted}): name "
                    "another folder or remove this one"
                )
            return
        for write in (write_coco, write_lvis):
            write(folder, scenes.split, scenes.count, seed=scenes.seed)
        write_atomically(marker, json.dumps(wanted).encode())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock, then hold it."""
    lock = require("filelock", extra="eval").FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise OutputError(f"{path} cannot be locked: {one_line(error)}") from error
    try:
        yield
    finally:
        lock.release()


def _origin(config: StudyConfig, name: str, annotations: str) -> str:
    """A digest of all that the selection of cases depends on; `annotations` is their file's."""
    detector = to_plain(config.detector)
    del detector["device"]
    data = config.datasets[name]
    parts = [to_plain(data), detector, to_plain(config.select), to_plain(config.scenes)]
    parts += [annotations, config.run.strict]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _digest(paths: Sequence[Path]) -> str:
    """12 hex digits of the SHA-256 of a file's content; of several, of their names, too."""
    digest = hashlib.sha256()
    for path in paths:
        if len(paths) > 1:
            digest.update(f"\0{path.name}\0".encode(errors="surrogatepass"))
        with open_file(path, "annotation file") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]

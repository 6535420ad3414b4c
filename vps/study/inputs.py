"""What a study needs before its first case: scenes, data sets, detectors."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from vps.core.detector import Detector
from vps.core.extras import require
from vps.core.files import write_atomically
from vps.core.names import distinct_names
from vps.core.regions import check_region_method
from vps.data.dataset import Dataset
from vps.data.readers.files import checked_format, read_json
from vps.data.readers.formats import open_dataset, options_of
from vps.data.scenes.scene_files import write_coco, write_lvis
from vps.engine.cutting import check_cutting
from vps.errors import (
    DetectorError,
    InputError,
    LabelsError,
    OutputError,
    VpsError,
    one_line,
)
from vps.study.config import StudyConfig
from vps.study.region_counts import most_regions
from vps.study.sections import ScenesConfig

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


def check_regions(config: StudyConfig) -> None:
    """Raise InputError or MissingExtraError where images cannot be cut as the config says."""
    regions = config.regions
    check_region_method(regions.method)
    check_cutting(regions.file or most_regions(regions.count), regions.method, regions.numbering)


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


def scenes_note(scenes: ScenesConfig) -> Path:
    """The file that says which scenes lie in a folder; it is written once they all do."""
    return Path(scenes.folder) / f"scenes_{scenes.split}.json"


def draw_scenes(scenes: ScenesConfig) -> None:
    """Draw the scenes of a config, unless they are there.

    Raises:
        InputError: other scenes are there under the same name.
        OutputError: the folder cannot be written.
    """
    folder, marker = Path(scenes.folder), scenes_note(scenes)
    wanted = {"split": scenes.split, "count": scenes.count, "seed": scenes.seed}
    with locked(marker.with_suffix(".lock")):
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
def locked(path: Path) -> Iterator[None]:
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

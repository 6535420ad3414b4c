"""The sections of a study's config, each typed and checked by itself."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from typing import Any, Literal

from vps.core.file_names import check_plain_name
from vps.core.names import choose
from vps.core.numbers import check_threads, check_whole
from vps.data.readers.formats import FORMATS
from vps.data.readers.vps_list import SECTIONS
from vps.data.scenes.scene_files import MOST_SCENES
from vps.engine.cutting import check_cutting
from vps.errors import InputError
from vps.explaining.settings import check_seed
from vps.study.region_counts import RegionCounts, check_region_counts

_MOST_WORKERS, _MOST_ATTEMPTS = 1_000, 100


@dataclass(frozen=True)
class ScenesConfig:
    """Synthetic scenes that are drawn before the study, unless they are there.

    Attributes:
        folder: where images/ and annotations/ go, see `vps.data.scenes.scene_files`.
        split, count, seed: of the scenes.
    """

    folder: str
    split: str = "val"
    count: int = 60
    seed: int = 7

    def __post_init__(self) -> None:
        check_plain_name(self.split, "split")
        check_whole("count", self.count, 1, MOST_SCENES)
        check_seed(self.seed)
        expand_home(self, "folder")


@dataclass(frozen=True)
class DatasetConfig:
    """Where a data set lies, and what of it is explained.

    Attributes:
        format: a key of `vps.data.readers.formats.FORMATS`.
        annotations, images: file and folder; some formats need no folder.
        options: further arguments of the format's reader.
        cases: a list of cases (JSON), of this project, VPS or PhaseWin; without one, cases are
            selected.
        section: of a list of VPS or PhaseWin, which part of it: "case1" (correct), "case2" (of the
            wrong class, or grounded to the wrong thing) or "case3" (missed); by default the only
            one of the list, or "case1".
        rename: the detector's labels -> the data set's, where they differ.
        regions: how many its images are cut into, as `count` of the section regions, in its place.
    """

    format: str
    annotations: str
    images: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    cases: str | None = None
    section: str | None = None
    rename: dict[str, str] = field(default_factory=dict)
    regions: RegionCounts | None = None

    def __post_init__(self) -> None:
        if self.regions is not None:
            check_region_counts(self.regions, "regions")
        choose(FORMATS, self.format, "format")
        if self.section is not None:
            choose(SECTIONS, self.section, "section")
            if self.cases is None:
                raise InputError("section is of a list of cases: name the list as cases")
        expand_home(self, "annotations", "images", "cases")
        _check_options(self)


@dataclass(frozen=True)
class DetectorConfig:
    """The detector, as `detectors.load` takes it.

    Attributes:
        name: e.g. "onnx:configs/yolox_nano.yaml", or "my_module:build", a function of one's own.
        labels: what an open-vocabulary detector is asked for, by default the data set's labels; of
            others, the names of their classes, where their weights bring none.
        device: "auto" (a GPU for each worker where there are some, else the CPU), "cpu", "cuda:N".
        dtype: "float32", "bfloat16" or "float16".
        options: of this kind of detector.
    """

    name: str
    labels: tuple[str, ...] | None = None
    device: str = "auto"
    dtype: str = "float32"
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("name", "labels", "prompt", "device", "dtype"):
            if name in self.options:
                key = "labels" if name == "prompt" else name
                raise InputError(f"options.{name}: this is set by detector.{key}, not by an option")


@dataclass(frozen=True)
class RegionsConfig:
    """How images are cut.

    Attributes:
        count: about how many regions: a number, or one for each kind of case, such as
            {correct: 64, classification: 100, missed: 50, other: 100}, where "other" is for the
            kinds that are not named.
        method: a key of `vps.core.regions.REGION_METHODS`.
        numbering: "scan", or "distance" from the box of the case, see
            `vps.engine.problem.make_problem`.
        file: a label map, or a folder with one of each image's name, in place of both; see
            `vps.engine.label_maps.read_label_map`.
    """

    count: RegionCounts = 64
    method: str = "slico"
    numbering: str = "scan"
    file: str | None = None

    def __post_init__(self) -> None:
        check_cutting(1, self.method, self.numbering)
        check_region_counts(self.count, "count")
        expand_home(self, "file")


@dataclass(frozen=True)
class MethodConfig:
    """A method under the name that tables give it.

    Attributes:
        method: a key of `vps.methods.METHODS`; by default, the name itself.
        options: its settings, see its class. Instead of "auto", the search of "vps" is the one
            that it stands for: that may be another in the next version, and a study is to be
            repeated.
    """

    method: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunConfig:
    """How the cases are worked off; changes no result.

    Attributes:
        executor: "serial", "processes" (on this machine) or "ray" (on a cluster).
        workers: how many detectors work at a time; 0 for one a GPU, or one without a GPU.
        threads: of each worker; by default, its share of the cores.
        strict: whether the first failure, or an image or annotation that cannot be read, stops the
            run; an annotation only where the data set's own option `strict` is not false.
        attempts: how often a case is begun whose worker dies.
        pictures: whether a picture of each case and method is written.
        export: "vps" writes each result also as the files that the scripts of VPS and PhaseWin
            read, below vps/ in the study's folder: as many bytes as the detector's grid has pixels,
            times the number of regions; see `vps.study.exports`.
    """

    executor: Literal["serial", "processes", "ray"] = "serial"
    workers: int = 0
    threads: int | None = None
    strict: bool = False
    attempts: int = 3
    pictures: bool = True
    export: Literal["vps"] | None = None

    def __post_init__(self) -> None:
        check_whole("workers", self.workers, 0, _MOST_WORKERS)
        check_whole("attempts", self.attempts, 1, _MOST_ATTEMPTS)
        if self.threads is not None:
            check_threads(self.threads)


def _check_options(settings: DatasetConfig | DetectorConfig) -> None:
    """Raise InputError where an option is a key of its own."""
    own = {item.name for item in dataclasses.fields(settings)}
    for name in settings.options:
        if name in own:
            raise InputError(f"options: {name} is no option but a key beside options")


def expand_home(settings: Any, *names: str) -> None:
    """Put the home folder for "~" at the start of paths among frozen settings."""
    for name in names:
        path = getattr(settings, name)
        if path is not None:
            object.__setattr__(settings, name, os.path.expanduser(path))

"""The settings of a study: YAML -> typed and checked values; whatever is misspelt is an error."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from vps.core.extras import require
from vps.core.file_names import check_plain_name, safe_name
from vps.core.files import write_atomically
from vps.core.names import choose
from vps.core.numbers import Lambdas, check_threads, check_whole
from vps.core.regions import REGION_METHODS
from vps.core.schema import build, to_plain
from vps.core.yaml_files import parse_yaml, read_yaml
from vps.data.cases.select import Selection
from vps.data.readers.formats import FORMATS
from vps.data.scenes.scene_files import MOST_SCENES
from vps.engine.problem import check_problem_settings, check_region_count
from vps.errors import InputError, one_line
from vps.explaining.settings import check_seed
from vps.methods import METHODS, Method, make_method
from vps.methods.search.vps import VPS
from vps.metrics.measures import MetricSettings
from vps.report.tables.rows import ReportSettings
from vps.study.repair import RepairSettings, least_passes

REPEATABLE = {VPS.name: {"search": "path_search"}}
"""Settings that stand for a method's defaults where those depend on the machine."""

_LONGEST_REASON = 1000  # characters of what is wrong with a config
_LONGEST_NAME = 100  # bytes of a name; file systems take 255 for all of a file's

_MOST_WORKERS, _MOST_ATTEMPTS = 1_000, 100

_SLACK = 1.25  # by which an image may have more regions than were asked for


USUAL_METHODS = ("vps", "drise", "random", "box")
"""What a study compares where its config names no methods."""


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
        _expand_home(self, "folder")


@dataclass(frozen=True)
class DatasetConfig:
    """Where a data set lies, and what of it is explained.

    Attributes:
        format: a key of `vps.data.readers.formats.FORMATS`.
        annotations, images: file and folder; some formats need no folder.
        options: further arguments of the format's reader.
        cases: a list of cases (JSON); without one, cases are selected.
        rename: the detector's labels -> the data set's, where they differ.
    """

    format: str
    annotations: str
    images: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    cases: str | None = None
    rename: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose(FORMATS, self.format, "format")
        _expand_home(self, "annotations", "images", "cases")
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
    """How images are cut: about `count` regions by a key of `vps.core.regions.REGION_METHODS`."""

    count: int = 64
    method: str = "slico"

    def __post_init__(self) -> None:
        choose(REGION_METHODS, self.method, "region method")
        check_region_count(self.count, "count")


@dataclass(frozen=True)
class MethodConfig:
    """A method under the name that tables give it.

    Attributes:
        method: a key of `vps.methods.METHODS`; by default, the name itself.
        options: its settings, see its class. The search of "vps" is by default "path_search":
            "auto" depends on the machine's speed, and a study is to be repeated.
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
    """

    executor: Literal["serial", "processes", "ray"] = "serial"
    workers: int = 0
    threads: int | None = None
    strict: bool = False
    attempts: int = 3
    pictures: bool = True

    def __post_init__(self) -> None:
        check_whole("workers", self.workers, 0, _MOST_WORKERS)
        check_whole("attempts", self.attempts, 1, _MOST_ATTEMPTS)
        if self.threads is not None:
            check_threads(self.threads)


@dataclass(frozen=True)
class StudyConfig:
    """All settings of a study; the file's keys are these names.

    Attributes:
        name: of the study.
        out: the folder of its results.
        seed: of searches and methods.
        scenes: scenes to draw first.
        datasets: by the names that results and tables give them.
        detector, select, regions, metrics, run, report: see their classes.
        repair: whether and how each method looks for the smallest part of the image whose hiding
            repairs a failure; see `vps.study.repair.repair` for what it spends the passes on.
            Where it is looked for, a threshold that is not given is `select.score_threshold`.
        fill, mode, lambdas, batch_size: see `vps.engine.problem.make_problem`.
        methods: what is compared, by name; the first is the one that the others are held against.
    """

    name: str
    datasets: dict[str, DatasetConfig]
    detector: DetectorConfig
    out: str = ""
    seed: int = 0
    scenes: ScenesConfig | None = None
    select: Selection = field(default_factory=Selection)
    regions: RegionsConfig = field(default_factory=RegionsConfig)
    fill: str | tuple[float, float, float] = "mean"
    mode: str = "object"
    lambdas: Lambdas = (1.0, 1.0)
    batch_size: int = 8
    methods: dict[str, MethodConfig] = field(
        default_factory=lambda: {name: MethodConfig() for name in USUAL_METHODS}
    )
    metrics: MetricSettings = field(default_factory=MetricSettings)
    repair: RepairSettings = field(default_factory=RepairSettings)
    run: RunConfig = field(default_factory=RunConfig)
    report: ReportSettings = field(default_factory=ReportSettings)

    def __post_init__(self) -> None:
        check_problem_settings(
            regions=self.regions.count,
            region_method=self.regions.method,
            fill=self.fill,
            mode=self.mode,
            lambdas=self.lambdas,
            batch_size=self.batch_size,
        )
        for what in ("datasets", "methods"):
            if not getattr(self, what):
                raise InputError(f"{what}: at least one is needed")
            for name in getattr(self, what):
                _check_name(what, name)
        check_seed(self.seed)
        object.__setattr__(self, "repair", self._checked_repair())
        object.__setattr__(self, "out", self.out or f"out/eval/{safe_name(self.name)}")
        _expand_home(self, "out")
        object.__setattr__(
            self, "methods", {name: _checked(name, one) for name, one in self.methods.items()}
        )

    def _checked_repair(self) -> RepairSettings:
        """The settings of repairs with a threshold, where repairs are looked for."""
        given = self.repair
        if not given.passes:
            return given
        least = least_passes(math.ceil(_SLACK * self.regions.count))
        if given.passes < least:
            raise InputError(
                f"repair.passes must be 0, for no repairs, or at least {least} with about "
                f"{self.regions.count} regions, got {given.passes}"
            )
        if given.threshold is not None:
            return given
        try:
            return dataclasses.replace(given, threshold=self.select.score_threshold)
        except InputError as error:
            raise InputError(f"repair, with select.score_threshold: {error}") from None

    def method(self, name: str) -> Method:
        """A method of the study with its settings, by the name that tables give it."""
        chosen = self.methods[name]
        return make_method(chosen.method, chosen.options)

    def absolute(self) -> StudyConfig:
        """The same study with paths that do not depend on the working directory."""
        datasets = {
            name: dataclasses.replace(
                data,
                annotations=os.path.abspath(data.annotations),
                images=None if data.images is None else os.path.abspath(data.images),
            )
            for name, data in self.datasets.items()
        }
        return dataclasses.replace(self, out=os.path.abspath(self.out), datasets=datasets)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write all settings, defaults included, as YAML that `read_config` reads.

        Raises:
            OutputError: the file cannot be written.
        """
        path = Path(path)
        text = require("yaml", extra="eval").safe_dump(to_plain(self), sort_keys=False)
        write_atomically(path, text.encode())
        return path


def read_config(path: str | PathLike[str], overrides: Sequence[str] = ()) -> StudyConfig:
    """Read the settings of a study.

    Args:
        path: a YAML file; paths in it are relative to the working directory.
        overrides: texts like "regions.count=100": a key, dots between its parts, and a value as
            in YAML.

    Raises:
        InputError: the file is missing or no YAML, or a key or value is wrong; the message says
            where and names the nearest key.
    """
    path = Path(path)
    content = read_yaml(path, "config", extra="eval")
    if not isinstance(content, dict):
        raise InputError(f"config {path} must hold keys and values, see configs/ for examples")
    content.setdefault("name", path.stem)
    if any(text.startswith("methods.") for text in overrides):
        # What is set of one of the default methods leaves the others.
        content.setdefault("methods", dict.fromkeys(USUAL_METHODS))
    for text in overrides:
        _override(content, text)
    if "search" in content:
        raise InputError(
            f"config {path}: the search is set with the method that it is of, as in "
            "methods: {vps: {options: {search: greedy}}}, and is no key of its own any more; "
            "results of a study that has it are computed again"
        )
    try:
        config: StudyConfig = build(StudyConfig, content)
    except InputError as error:
        # It may quote a value, and a value may be long.
        raise InputError(f"config {path}: {one_line(error, _LONGEST_REASON)}") from error
    return config


def _override(content: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    parts = key.split(".")
    if not equals or not all(parts):
        raise InputError(f"an override is KEY=VALUE, e.g. regions.count=100; got {text!r}")
    for part in parts[:-1]:
        # A key without a value, as "vps:", is empty.
        if content.get(part) is None:
            content[part] = {}
        content = content[part]
        if not isinstance(content, dict):
            raise InputError(f"{text}: {part} holds a value, not keys")
    content[parts[-1]] = parse_yaml(value, f"the value of {key}", extra="eval")


def _check_options(settings: DatasetConfig | DetectorConfig) -> None:
    """Raise InputError where an option is a key of its own."""
    own = {item.name for item in dataclasses.fields(settings)}
    for name in settings.options:
        if name in own:
            raise InputError(f"options: {name} is no option but a key beside options")


def _expand_home(settings: Any, *names: str) -> None:
    """Put the home folder for "~" at the start of paths among frozen settings."""
    for name in names:
        path = getattr(settings, name)
        if path is not None:
            object.__setattr__(settings, name, os.path.expanduser(path))


def _check_name(what: str, name: str) -> None:
    """Names become those of files and columns."""
    plain = name and all(letter.isalnum() or letter in "-_+. " for letter in name)
    if not plain or name.startswith(".") or len(name.encode()) > _LONGEST_NAME:
        raise InputError(
            f"{what}: {name[:_LONGEST_NAME]!r} is no name: use letters, digits and - _ + ., no dot "
            f"at the start, and at most {_LONGEST_NAME} bytes"
        )


def _checked(name: str, given: MethodConfig) -> MethodConfig:
    """The method that is meant, with all of its settings."""
    kind = given.method or name
    choose(METHODS, kind, f"method {name!r}:" if kind != name else "method")
    try:
        method = make_method(kind, {**REPEATABLE.get(kind, {}), **given.options})
    except InputError as error:
        raise InputError(f"methods.{name}: {error}") from error
    return MethodConfig(kind, to_plain(method))

"""The settings of a study: YAML -> typed and checked values; whatever is misspelt is an error."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.extras import require
from vps.core.file_names import safe_name
from vps.core.files import write_atomically
from vps.core.names import choose
from vps.core.numbers import Lambdas, check_whole
from vps.core.schema import build, to_plain
from vps.core.targets import Kind
from vps.core.yaml_files import parse_yaml, read_yaml
from vps.data.cases.select import Selection
from vps.engine.problem import check_problem_settings
from vps.errors import InputError, one_line
from vps.explaining.settings import check_seed
from vps.methods import METHODS, Method, make_method
from vps.methods.search.vps import VPS
from vps.metrics.measures import MetricSettings
from vps.report.tables.rows import ReportSettings
from vps.search.settings import RECOMMENDED
from vps.study.protocol import PROTOCOLS, with_protocol
from vps.study.region_counts import RegionCounts, most_regions, region_count
from vps.study.repair import RepairSettings, least_passes
from vps.study.sections import (
    DatasetConfig,
    DetectorConfig,
    MethodConfig,
    RegionsConfig,
    RunConfig,
    ScenesConfig,
    expand_home,
)

REPEATABLE = {VPS.name: {"search": RECOMMENDED}}
"""Settings that stand for a method's defaults where those may be others in the next version."""

_LONGEST_REASON = 1000  # characters of what is wrong with a config
_LONGEST_NAME = 100  # bytes of a name; file systems take 255 for all of a file's

_SLACK = 1.25  # by which an image may have more regions than were asked for


USUAL_METHODS = ("vps", "drise", "random", "box")
"""What a study compares where its config names no methods."""


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
        protocol: a key of `vps.study.protocol.PROTOCOLS` that `read_config` has filled in what the
            file does not set; null for none. In Python it is a note only.
        passes: how many passes each method may take, those that can make use of them; of several
            numbers, each is a row of its own, "drise@500". By default, what the methods are set to.
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
    passes: tuple[int, ...] = ()
    protocol: str | None = None
    metrics: MetricSettings = field(default_factory=MetricSettings)
    repair: RepairSettings = field(default_factory=RepairSettings)
    run: RunConfig = field(default_factory=RunConfig)
    report: ReportSettings = field(default_factory=ReportSettings)

    def __post_init__(self) -> None:
        if self.protocol is not None:
            choose(PROTOCOLS, self.protocol, "protocol")
        check_problem_settings(
            region_method=self.regions.method,
            numbering=self.regions.numbering,
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
        expand_home(self, "out")
        checked = {name: _checked(name, one) for name, one in self.methods.items()}
        object.__setattr__(self, "methods", _at_passes(checked, self.passes))
        # They are in the methods' settings now.
        object.__setattr__(self, "passes", ())

    def _checked_repair(self) -> RepairSettings:
        """The settings of repairs with a threshold, where repairs are looked for."""
        given = self.repair
        if not given.passes:
            return given
        most = max(most_regions(self._counts_of(name)) for name in self.datasets)
        least = least_passes(math.ceil(_SLACK * most))
        if given.passes < least:
            raise InputError(
                f"repair.passes must be 0, for no repairs, or at least {least} with about "
                f"{most} regions, got {given.passes}"
            )
        if given.threshold is not None:
            return given
        try:
            return dataclasses.replace(given, threshold=self.select.score_threshold)
        except InputError as error:
            raise InputError(f"repair, with select.score_threshold: {error}") from None

    def _counts_of(self, dataset: str) -> RegionCounts:
        own = self.datasets[dataset].regions
        return self.regions.count if own is None else own

    def region_count(self, dataset: str, kind: Kind) -> int:
        """About how many regions a case of a kind of a data set gets."""
        return region_count(self._counts_of(dataset), kind)

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
        file = self.regions.file and os.path.abspath(self.regions.file)
        regions = dataclasses.replace(self.regions, file=file)
        return dataclasses.replace(
            self, out=os.path.abspath(self.out), datasets=datasets, regions=regions
        )

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
    """Read the settings of a study; what they do not set, their `protocol` may.

    Args:
        path: a YAML file, or the name of a config that ships with this package, as "demo"; paths
            in it are relative to the working directory.
        overrides: texts like "regions.count=100": a key, dots between its parts, and a value as
            in YAML.

    Raises:
        InputError: the file is missing or no YAML, or a key or value is wrong; the message says
            where and names the nearest key.
    """
    path = _shipped(Path(path))
    content = read_yaml(path, "config", extra="eval")
    if not isinstance(content, dict):
        raise InputError(f"config {path} must hold keys and values, see configs/ for examples")
    content.setdefault("name", path.stem)
    return config_from(content, overrides, f"config {path}")


def _shipped(path: Path) -> Path:
    """The config of that name that ships, where it is a bare name and no file."""
    if path.is_file() or path.name != str(path) or path.suffix:
        return path
    found = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
    shipped = {one.stem: one for one in found}
    # A folder may be called as one of them: `vps demo --out demo` makes one.
    if path.exists() and path.name not in shipped:
        return path
    return choose(shipped, path.name, "config")


def config_from(content: dict[str, Any], overrides: Sequence[str], what: str) -> StudyConfig:
    """The settings of a study from what YAML gives; it is changed by the overrides.

    Args:
        content: keys and values.
        overrides: see `read_config`.
        what: where they are from, for messages.

    Raises:
        InputError: see `read_config`.
    """
    own_protocol = content.get("protocol")
    of_methods = [text for text in overrides if text.startswith("methods.")]
    for text in overrides:
        if text not in of_methods:
            _override(content, text)
    if of_methods:
        # What is set of one of the default methods leaves the others.
        content.setdefault("methods", dict.fromkeys(_usual_methods(content.get("protocol"))))
    for text in of_methods:
        _override(content, text)
    if "search" in content:
        raise InputError(
            f"{what}: the search is set with the method that it is of, as in "
            "methods: {vps: {options: {search: greedy}}}, and is no key of its own any more; "
            "results of a study that has it are computed again"
        )
    try:
        filled = with_protocol(content)
        if filled == content and content.get("protocol") not in (None, own_protocol):
            raise InputError(
                f"it sets all that the protocol {content['protocol']} would, as the config.yaml of "
                "a study's folder does: nothing would change; give the config that the study was "
                "made from"
            )
        config: StudyConfig = build(StudyConfig, filled)
    except InputError as error:
        # It may quote a value, and a value may be long.
        raise InputError(f"{what}: {one_line(error, _LONGEST_REASON)}") from error
    return config


def _usual_methods(protocol: object) -> tuple[str, ...]:
    """What is compared where a config names no methods; an unknown protocol is refused later."""
    known = isinstance(protocol, str) and protocol in PROTOCOLS
    return PROTOCOLS[str(protocol)].compared if known else USUAL_METHODS


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


def _check_name(what: str, name: str) -> None:
    """Names become those of files and columns."""
    plain = name and all(letter.isalnum() or letter in "-_+@. " for letter in name)
    if not plain or name.startswith(".") or len(name.encode()) > _LONGEST_NAME:
        raise InputError(
            f"{what}: {name[:_LONGEST_NAME]!r} is no name: use letters, digits and - _ + @ ., no "
            f"dot at the start, and at most {_LONGEST_NAME} bytes"
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


def _at_passes(methods: dict[str, MethodConfig], passes: Sequence[int]) -> dict[str, MethodConfig]:
    """The methods set to take so many passes; those that make no use of them once, as they are."""
    for number in passes:
        check_whole("passes", number, 1, 10**9)
    found: dict[str, MethodConfig] = {}
    if not passes:
        return methods
    passes = tuple(dict.fromkeys(passes))
    for number in passes:
        for name, one in methods.items():
            plain = make_method(one.method, one.options)
            method = plain.with_passes(number)
            own = name if len(passes) < 2 or method == plain else f"{name}@{number}"
            found.setdefault(own, MethodConfig(one.method, to_plain(method)))
    return found

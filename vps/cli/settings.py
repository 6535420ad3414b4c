"""From the options of a command to the settings of the engine: the one place that knows both."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vps.cli.inputs import parse_pairs
from vps.errors import InputError

# What takes long to import is imported when a command runs, so that `--help` need not wait for it.
if TYPE_CHECKING:
    from vps.core.targets import Kind
    from vps.engine.budget import Budget, Progress
    from vps.methods import Method


@dataclass(frozen=True)
class RunSettings:
    """How to explain: see the options of `vps explain`, which bear the same names.

    Attributes:
        search, effort: of the method, where it has them; None for its defaults.
        regions_file: what takes the place of `regions` and `region_method`, where it is given.
        spend: the option `--budget`, a number as text: its decimal point says what it is.
        method_options: settings of the method, as NAME=VALUE.
    """

    regions: int
    batch_size: int
    search: str | None = None
    effort: str | None = None
    spend: str | None = None
    time_limit: float | None = None
    region_method: str = "slico"
    regions_file: Path | None = None
    numbering: str = "scan"
    fill: str = "mean"
    mode: str = "object"
    method_name: str = "vps"
    method_options: Sequence[str] = ()
    seed: int = 0
    all_prompts: bool = False
    map_rule: str = "vps"
    map_replay: str = "regions"
    quiet: bool = False

    def by_protocol(
        self, protocol: str, *, detector: str, kind: Kind, given: Collection[str]
    ) -> RunSettings:
        """The same with what a protocol sets and the user has not.

        Args:
            protocol: a key of `vps.study.protocol.PROTOCOLS`.
            detector: its name.
            kind: of what is explained.
            given: names of the options that the user has set, as those of `vps explain`.

        Raises:
            InputError: an unknown protocol.
        """
        from vps.study.protocol import explain_settings

        found = explain_settings(
            protocol,
            detector=detector,
            kind=kind,
            method=self.method_name,
            searched=not {"search", "effort", "budget"}.isdisjoint(given),
        )
        found.pop("detector_options")
        named = parse_pairs(self.method_options, "--method-option")
        options = found.pop("method_options")
        added = [f"{name}={value}" for name, value in options.items() if name not in named]
        own = {name: value for name, value in found.items() if name not in given}
        return dataclasses.replace(self, **own, method_options=(*self.method_options, *added))

    def check(self) -> None:
        """Refuse settings that cannot be used, before a detector is loaded for nothing.

        Raises:
            InputError: the first that is wrong.
            MissingExtraError: a way to cut images that lacks its library.
        """
        from vps.core.regions import check_region_method
        from vps.engine.problem import check_problem_settings
        from vps.explaining.settings import check_seed

        check_problem_settings(
            regions=self.regions_file or self.regions,
            region_method=self.region_method,
            numbering=self.numbering,
            fill=self.fill,
            mode=self.mode,
            batch_size=self.batch_size,
            map_rule=self.map_rule,
            map_replay=self.map_replay,
        )
        check_region_method(self.region_method)
        self.method()
        self.budget()
        check_seed(self.seed)

    def method(self) -> Method:
        """What orders the regions.

        Raises:
            InputError: a method or a setting that does not exist, or is out of range.
        """
        from vps.methods import make_method

        spend = parse_budget(self.spend)
        share = spend if isinstance(spend, float) else None
        given = {"search": self.search, "effort": self.effort, "budget": share}
        options = {name: value for name, value in given.items() if value is not None}
        pairs = parse_pairs(self.method_options, "--method-option")
        if twice := [name for name in pairs if name in options or (name == "budget" and spend)]:
            raise InputError(f"{twice[0]} is set twice: give --{twice[0]} or --method-option")
        if self.spend is not None and self.effort is not None:
            raise InputError("--budget takes the place of --effort: give one of them")
        options |= {name: parse_literal(value) for name, value in pairs.items()}
        return make_method(self.method_name, options)

    def budget(self, progress: Callable[[Progress], None] | None = None) -> Budget:
        """What it may cost; `progress` hears how far it is.

        Raises:
            InputError: a number that is none, or out of range.
        """
        from vps.engine.budget import Budget

        spend = parse_budget(self.spend)
        passes = None if isinstance(spend, float) else spend
        return Budget(passes, self.time_limit, progress)

    def problem(self) -> dict[str, Any]:
        """What `vps.engine.problem.make_problem` is set to."""
        return {
            "regions": self.regions_file or self.regions,
            "region_method": self.region_method,
            "numbering": self.numbering,
            "fill": self.fill,
            "mode": self.mode,
            "batch_size": self.batch_size,
            "all_prompts": self.all_prompts,
            "map_rule": self.map_rule,
            "map_replay": self.map_replay,
        }


def parse_budget(text: str | None) -> int | float | None:
    """Passes, where it is a whole number; a share of greedy's, where it has a decimal point.

    Raises:
        InputError: it is no number.
    """
    if text is None:
        return None
    value = parse_literal(text)
    if isinstance(value, (bool, str)):
        raise InputError(
            "--budget takes a whole number of passes, or a share of greedy's with a decimal point; "
            f"got {text!r}"
        )
    return value


def parse_literal(text: str) -> int | float | bool | str:
    """A value as YAML would read it: a number or true or false where it looks like one, or text."""
    for read in (int, float):
        try:
            value = read(text)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return {"true": True, "false": False}.get(text, text)

"""From the options of a command to the settings of the engine: the one place that knows both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vps.cli.inputs import parse_pairs
from vps.errors import InputError

# What takes long to import is imported when a command runs, so that `--help` need not wait for it.
if TYPE_CHECKING:
    import numpy as np

    from vps.cli.questions import CliQuestion
    from vps.core.detector import Detector
    from vps.core.regions import Regions
    from vps.core.targets import Target
    from vps.report.progress import ShowProgress
    from vps.results.answer import Answer
    from vps.results.explanation import Explanation


@dataclass(frozen=True)
class RunSettings:
    """How to explain: see the options of `vps explain`, which bear the same names.

    Attributes:
        budget: a number as text, for it says by its decimal point what it is.
        method_options: settings of the method, as NAME=VALUE.
    """

    regions: int
    search: str
    effort: str
    batch_size: int
    budget: str | None = None
    time_limit: float | None = None
    region_method: str = "slico"
    fill: str = "mean"
    mode: str = "object"
    method: str = "vps"
    method_options: Sequence[str] = ()
    seed: int = 0
    all_prompts: bool = False
    quiet: bool = False


def check_settings(run: RunSettings) -> None:
    """Refuse settings that cannot be used, before a detector is loaded for nothing.

    Raises:
        InputError: the first that is wrong.
    """
    from vps.core.masking import check_fill
    from vps.core.names import choose
    from vps.core.regions import REGION_METHODS
    from vps.engine.passes import check_pass_settings
    from vps.explaining.explain import check_run
    from vps.methods import METHODS, check_options
    from vps.methods.vps import VPS

    check_fill(run.fill)
    check_pass_settings(run.mode, run.batch_size)
    choose(REGION_METHODS, run.region_method, "region method")
    choose({VPS: None, **METHODS}, run.method, "method")
    options = _method_options(run)
    if run.method != VPS:
        check_options(run.method, options)
        if run.budget is not None:
            raise InputError(f"--budget is for searches; {run.method} is set by --method-option")
    elif options:
        raise InputError("the method vps takes no --method-option: see --search and --effort")
    check_run(run.search, run.effort, parse_budget(run.budget), run.time_limit, run.seed)
    if run.regions < 1:
        raise InputError(f"the number of regions must be at least 1, got {run.regions}")


def search_settings(run: RunSettings) -> dict[str, Any]:
    """What says how to search, as both doors of the engine take it."""
    return {
        "search": run.search,
        "effort": run.effort,
        "budget": parse_budget(run.budget),
        "time_limit": run.time_limit,
        "batch_size": run.batch_size,
    }


def explain_targets(
    detector: Detector,
    image: np.ndarray,
    targets: Sequence[Target],
    regions: Regions,
    run: RunSettings,
    *,
    image_name: str,
    progress: ShowProgress,
) -> list[Explanation]:
    """An explanation of each target; see `vps.explaining.explain.explain`."""
    from vps.explaining.explain import explain

    return explain(
        detector,
        image,
        targets=targets,
        regions=regions,
        fill=run.fill,
        mode=run.mode,
        seed=run.seed,
        method=run.method,
        options=_method_options(run),
        progress=progress,
        image_name=image_name,
        all_prompts=run.all_prompts,
        **search_settings(run),
    )


def answer_question(
    detector: Detector,
    image: np.ndarray,
    asked: CliQuestion,
    regions: Regions,
    run: RunSettings,
    *,
    threshold: float,
    image_name: str,
    progress: ShowProgress,
) -> Answer:
    """The answer to a question; see `vps.explaining.failure.explain_failure`."""
    from vps.explaining.failure import explain_failure

    return explain_failure(
        detector,
        image,
        asked.target,
        rival=asked.rival,
        threshold=threshold,
        regions=regions,
        fill=run.fill,
        seed=run.seed,
        progress=progress,
        image_name=image_name,
        all_prompts=run.all_prompts,
        **search_settings(run),
    )


def show_progress(
    name: str, run: RunSettings, regions: Regions | None = None, targets: int = 1
) -> AbstractContextManager[ShowProgress]:
    """A progress bar; without regions, of work of which nobody knows how much it is."""
    from vps.report.progress import progress_bar
    from vps.search.settings import passes_allowed

    total = None
    if regions is not None:
        budget = parse_budget(run.budget)
        total = passes_allowed(run.search, run.effort, budget, regions.count, targets)
    return progress_bar(name, total, quiet=run.quiet)


def method_docs() -> Mapping[str, str | None]:
    """What is said of each method, by its name; that of this project first."""
    from vps.methods import METHODS

    own = "Visual Precision Search, the method of this project; set it by search and effort"
    return {"vps": own, **{name: method.__doc__ for name, method in METHODS.items()}}


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


def _method_options(run: RunSettings) -> dict[str, Any]:
    pairs = parse_pairs(run.method_options, "--method-option")
    return {name: parse_literal(value) for name, value in pairs.items()}

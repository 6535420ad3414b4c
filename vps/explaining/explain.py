"""The front door: from a detector, an image and a target to an Explanation."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from vps.core.detect import Detection, as_target
from vps.core.detector import Detector
from vps.core.images import AnyImage, open_image
from vps.core.masking import Colour, check_fill
from vps.core.names import choose
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.core.versions import versions
from vps.engine.budget import StopReason
from vps.engine.curves import Curves
from vps.engine.problem import Problem, make_problem
from vps.errors import IncompleteError, InputError
from vps.methods import METHODS, check_options
from vps.methods.vps import VPS, Ordering, by_map, by_search
from vps.results.explanation import Explanation
from vps.search.driver import SearchProgress
from vps.search.path_search import NO_EVIDENCE
from vps.search.settings import AUTO, check_search


@overload
def explain(
    detector: Detector, image: AnyImage, target: Target | Detection, **settings: Any
) -> Explanation: ...


@overload
def explain(
    detector: Detector, image: AnyImage, *, targets: Sequence[Target | Detection], **settings: Any
) -> list[Explanation]: ...


def explain(  # type: ignore[misc]  # the overloads leave the settings to this signature
    detector: Detector,
    image: AnyImage,
    target: Target | Detection | None = None,
    *,
    targets: Sequence[Target | Detection] | None = None,
    regions: int | Regions = 64,
    region_method: str = "slico",
    search: str = AUTO,
    effort: str = "balanced",
    budget: int | float | None = None,
    time_limit: float | None = None,
    fill: str | Colour = "mean",
    mode: str = "object",
    lambdas: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 8,
    seed: int = 0,
    progress: Callable[[SearchProgress], None] | None = None,
    image_name: str | None = None,
    all_prompts: bool = False,
    method: str = VPS,
    options: Mapping[str, Any] | None = None,
) -> Explanation | list[Explanation]:
    """Which parts of an image make a detector put this box, with this label, here.

    Ctrl-C ends the search, not the program: the best order so far comes back at once, with
    `Explanation.stopped` "interrupted". Points of its curves that were not measured until then are
    interpolated; `Explanation.measured` tells which. A loop over images has to look at `stopped`.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: the box and the label, on the original image; or what `vps.detect` returned.
        targets: instead of one, several of the same image: they share the passes, which makes them
            cheaper together than one by one.
        regions: how many regions to aim for, or regions of the grid that `detector.prepare`
            gives.
        region_method: how to cut the image, a key of `vps.core.regions.REGION_METHODS`; says
            nothing where `regions` are given.
        search: a key of `vps.search.SEARCHES`, or "auto": `path_search` where batches are faster
            than their images one by one, else `top_k` (`vps.search.settings`). That is a matter of
            time: to get the same result again, name the search.
        effort: "fast", "balanced" or "high": 15, 20 or 30 % of the passes of the paper's greedy
            search, and at least 8 m, for the searches that can use any number of passes: auto,
            path_search, top_k. Each further target adds half as much.
        budget: instead, the most passes of the search: an int for all targets together, or a share
            of greedy's m (m + 1) as a float. Curves that are not known when it ends are measured,
            with up to 2 m passes more a target.
        time_limit: seconds after which the search begins no further batch. Then, too, what the
            curves lack is measured.
        fill: what hides a region, see `vps.core.masking.make_fill`.
        mode: what of the detection is explained: "object", "class" or "box".
        lambdas: weights of consistency and collaboration.
        batch_size: the most images that go through the detector at a time.
        seed: of the search.
        progress: called after each batch.
        image_name: recorded in the result; by default the file name of a path.
        all_prompts: where the labels fill several prompts, ask them all. By default only those that
            hold a target's label are asked, which changes no score of a target
            (`vps.core.detector.PromptedDetector.narrowed`); in mode "box", all are.
        method: "vps", or one to compare it with, a key of `vps.methods.METHODS`: its map orders
            the regions, by their mean, and the curves are measured along that order. `search`,
            `effort`, `budget`, `time_limit` and `progress` then say nothing.
        options: of a compared method.

    Returns:
        The explanation, or one for each of `targets`. Where there was nothing to go by, it says so
        in `warnings`, and a UserWarning is raised too.

    Raises:
        InputError: an image, target or setting that cannot be used; before the first pass.
        DetectorError: the detector fails or breaks its contract.
        IncompleteError: it fails once the whole image and nothing have been seen; `partial` has
            the explanations as far as they are known.
    """
    start = time.perf_counter()
    if (target is None) == (targets is None):
        raise InputError("give explain either a target or a list of targets")
    if isinstance(target, Sequence):
        raise InputError("several targets are given by their name: explain(..., targets=[...])")
    choose({VPS: None, **METHODS}, method, "method")
    if method == VPS and options:
        raise InputError("the method vps has no options: search, effort and budget say how")
    if method != VPS:
        check_options(method, options or {})
    check_run(search, effort, budget, time_limit, seed)
    rgb, name = open_image(image)
    problem = make_problem(
        detector,
        rgb,
        [as_target(one) for one in ([target] if target is not None else targets or ())],
        regions=regions,
        region_method=region_method,
        fill=fill,
        mode=mode,
        lambdas=lambdas,
        batch_size=batch_size,
        all_prompts=all_prompts,
    )
    spent = time.perf_counter() - start
    if method == VPS:
        left = None if time_limit is None else time_limit - spent
        found = by_search(problem, search, effort, budget, left, seed, progress)
    else:
        found = by_map(problem, method, options or {}, seed)
    results = make_explanations(
        problem,
        found,
        seconds=spent + found.seconds,
        seed=seed,
        image_name=name if image_name is None else image_name,
        method=method,
        options=options,
    )
    for note in dict.fromkeys(note for result in results for note in result.warnings):
        warnings.warn(note, stacklevel=2)
    return results if targets is not None else results[0]


def check_run(
    search: str, effort: str, budget: int | float | None, time_limit: float | None, seed: int
) -> None:
    """Raise InputError for settings that no search can be run with."""
    check_search(search, effort, budget)
    if seed < 0:
        raise InputError(f"a seed is a number >= 0, got {seed}")
    if time_limit is not None and not time_limit > 0:
        raise InputError(f"a time limit is a number of seconds > 0, got {time_limit}")


def make_explanations(
    problem: Problem,
    found: Ordering,
    *,
    seconds: float,
    seed: int,
    image_name: str | None,
    method: str = VPS,
    options: Mapping[str, Any] | None = None,
) -> list[Explanation]:
    """An explanation for each target of a problem, from the orders that were found.

    Args:
        problem: what was asked.
        found: its orders and curves.
        seconds: all that it took.
        seed, image_name, method, options: recorded in the results, as for `explain`.

    Raises:
        IncompleteError: the detector failed on the way; `partial` has the explanations.
    """
    results: list[Explanation] = []
    for number, curves in enumerate(found.curves):
        results.append(
            Explanation(
                label_map=problem.regions.label_map,
                order=found.orders[number],
                **{field.name: getattr(curves, field.name) for field in dataclasses.fields(curves)},
                target=problem.targets[number],
                image_size=problem.size,
                detector=problem.detector.name,
                fill=check_fill(problem.fill),
                region_method=problem.regions.method,
                search=found.search,
                mode=problem.mode,
                lambdas=problem.lambdas,
                labels=tuple(problem.detector.labels),
                budget=found.budget,
                seed=seed,
                passes=found.passes,
                seconds=seconds,
                versions=versions(),
                warnings=_doubts(curves, found.stopped, float(found.highest[number])),
                image_name=image_name,
                rounds=found.rounds,
                stopped=found.stopped,
                sharing=len(problem.targets),
                method=method,
                options=dict(options or {}),
                saliency=None if found.saliency is None else found.saliency[number],
            )
        )
    if found.error is not None:
        raise IncompleteError(
            f"{found.error}; the detector failed after {found.passes} passes, what they tell is "
            "kept",
            results,
        ) from found.error
    return results


def _doubts(curves: Curves, stopped: StopReason, highest: float) -> tuple[str, ...]:
    """What the user should know; `highest` is the largest score of any subset."""
    notes = []
    if stopped.early:
        notes.append(f"the search was stopped before its end: {stopped}")
    if not curves.measured.all():
        missing = int((~curves.measured).sum())
        notes.append(
            f"{missing} of {len(curves.measured)} steps of the curves are interpolated, because "
            "they were not measured"
        )
    if highest < NO_EVIDENCE:
        notes.append(
            f"the target scores {highest:.2g} at the most, whatever is shown: there is no evidence "
            "to order the regions by; check the label and the box"
        )
    elif not curves.insertion[-1] > 0:
        notes.append(
            "the target scores 0 on the whole image: the order says what would make the detector "
            "find it, not why it does"
        )
    if not np.abs(np.diff(curves.objective))[:-1].any():
        notes.append("F does not change from one region to the next: the map is constant")
    return tuple(notes)

"""The front door: from a detector, an image and a target to an Explanation."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Sequence
from typing import Any, overload

from vps.core.detect import Detection
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.masking import check_fill
from vps.core.schema import to_plain
from vps.core.targets import Target
from vps.core.versions import versions
from vps.engine.budget import Budget, as_budget
from vps.engine.certainty import effects_of
from vps.engine.problem import Problem
from vps.errors import IncompleteError, InputError
from vps.explaining.cost import explanation_cost
from vps.explaining.doubts import constant_map, doubts
from vps.explaining.settings import as_problem, check_seed, sort_settings
from vps.explaining.tracing import Traced, trace
from vps.explaining.updates import OnUpdate, updating
from vps.methods import Method
from vps.methods.search.vps import VPS
from vps.results.explanation import Explanation


@overload
def explain(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    *,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> Explanation: ...


@overload
def explain(
    detector: Detector,
    image: AnyImage,
    *,
    targets: Sequence[Target | Detection],
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> list[Explanation]: ...


@overload
def explain(
    detector: Problem,
    *,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> list[Explanation]: ...


def explain(
    detector: Detector | Problem,
    image: AnyImage | None = None,
    target: Target | Detection | None = None,
    *,
    targets: Sequence[Target | Detection] | None = None,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> Explanation | list[Explanation]:
    """Which parts of an image make a detector put this box, with this label, here.

        explain(detector, "street.jpg", found)
        explain(detector, "street.jpg", found, regions=100, search="greedy")
        explain(detector, "street.jpg", found, method=DRISE(masks=500), budget=400)

    Ctrl-C ends the search, not the program: the best order so far comes back at once, with
    `Explanation.stopped` "interrupted". Points of its curves that were not measured until then are
    interpolated; `Explanation.measured` tells which. A loop over images has to look at `stopped`.

    A detector that is not deterministic is noticed: one pass more than `Explanation.passes` counts
    and the budget allows shows the whole image a second time, and a warning tells where the
    detector says another thing of it. A problem that is explained again takes none more.

    Args:
        detector: what is explained; or a `Problem`, which holds image and targets already.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: the box and the label, on the original image; or what `vps.detect` returned.
        targets: instead of one, several of the same image: they share the passes, which makes them
            cheaper together than one by one.
        method: how the regions are ordered: a key of `vps.methods.METHODS`, or a method with its
            settings. Of a method that gives a map, the regions follow by their mean; the curves are
            measured along the order.
        budget: what the method may cost; a number is one of passes. Curves that are not known when
            it ends are measured, with up to 2 m passes more a target.
        seed: of all that is drawn at random.
        on_update: called after each round of a search with what would be returned if it were
            cancelled now, for a picture that grows (`vps.LiveDisplay`); it has no `effects` yet,
            and curves are interpolated where they are not yet measured. Methods that are no search
            have nothing to tell before their end.
        settings: of the problem, see `vps.engine.problem.make_problem`: regions, region_method,
            numbering, fill, mode, lambdas, batch_size, image_name, all_prompts, map_rule,
            map_replay; and of the method, where it is given by its name: for "vps" search and
            effort (`vps.methods.search.vps.VPS`).

    Returns:
        The explanation; one for each target of `targets` or of a problem. Where there was nothing
        to go by, it says so in `warnings`, and a UserWarning is raised too.

    What it will cost, `explain.cost` tells beforehand, with the same arguments:

        print(explain.cost(detector, "street.jpg", found))
        at most 832 passes, about 33 s (effort fast: 624 passes, about 25 s)

    Raises:
        InputError: an image, target or setting that cannot be used; before the first pass.
        DetectorError: the detector fails or breaks its contract.
        IncompleteError: it fails once the whole image and nothing have been seen; `partial` has
            the explanations as far as they are known.
        CancelledError: the end came before anything was known.
    """
    start = time.perf_counter()
    chosen, of_problem = sort_settings(method, settings)
    cost = as_budget(budget)
    check_seed(seed)
    held = isinstance(detector, Problem) and target is None
    asked = targets if held else _targets(target, targets)
    problem = as_problem(detector, image, asked, of_problem)
    spent = time.perf_counter() - start
    one = target is not None
    told = updating(
        cost,
        problem,
        chosen,
        lambda cut, so_far: make_explanations(
            cut, so_far, seconds=spent + so_far.seconds, seed=seed, effects=False
        ),
        on_update and (lambda found: on_update(found[0] if one else found)),
    )
    traced = trace(problem, chosen, told, seed)
    results = make_explanations(problem, traced, seconds=spent + traced.seconds, seed=seed)
    for note in dict.fromkeys(note for result in results for note in result.warnings):
        warnings.warn(note, stacklevel=2)
    return results[0] if one else results


explain.cost = explanation_cost  # type: ignore[attr-defined]


def make_explanations(
    problem: Problem, traced: Traced, *, seconds: float, seed: int, effects: bool = True
) -> list[Explanation]:
    """An explanation for each target of a problem, from the orders that were found.

    Args:
        problem: what was asked.
        traced: its orders and curves.
        seconds: all that it took.
        seed: recorded in the results.
        effects: whether the effects of regions are worked out, which takes a while.

    Raises:
        IncompleteError: the detector failed on the way; `partial` has the explanations.
    """
    found, doubt = traced.found, problem.whole.doubt(problem.detector)
    unsure = () if doubt is None else (doubt,)
    results: list[Explanation] = []
    for number, (replay, curves) in enumerate(zip(traced.replays, traced.curves, strict=True)):
        judged, source = replay.problem, replay.source
        scores = source.seen.score[:, replay.number]
        highest = float(scores.max(initial=0))
        saliency = None if found.maps is None else found.maps[number]
        results.append(
            Explanation(
                label_map=judged.regions.label_map,
                order=replay.order,
                **{field.name: getattr(curves, field.name) for field in dataclasses.fields(curves)},
                target=problem.targets[number],
                image_size=problem.size,
                detector=problem.detector.name,
                fill=check_fill(judged.fill),
                region_method=judged.regions.method,
                numbering=judged.regions.numbering,
                search=found.search,
                mode=problem.mode,
                lambdas=problem.lambdas,
                labels=tuple(problem.detector.labels),
                budget=found.limit,
                seed=seed,
                passes=traced.passes,
                seconds=seconds,
                versions=versions(),
                warnings=(
                    *unsure,
                    *doubts(curves, traced.stopped, highest),
                    *constant_map(curves, problem.map_rule, saliency),
                ),
                image_name=problem.image_name,
                rounds=found.rounds,
                stopped=traced.stopped,
                sharing=len(problem.targets),
                method=traced.method.name,
                options=to_plain(traced.method),
                saliency=saliency,
                effects=effects_of(source.subsets, scores) if found.searched and effects else None,
                backward=found.backward,
                backward_cost=found.backward_cost,
                map_rule=problem.map_rule,
            ).with_image(problem.picture)
        )
    if traced.error is not None:
        raise IncompleteError(
            f"{traced.error}; the detector failed after {traced.passes} passes, what they tell is "
            "kept",
            results,
        ) from traced.error
    return results


def _targets(
    target: Target | Detection | None, targets: Sequence[Target | Detection] | None
) -> Sequence[Target | Detection]:
    """One or several, not both."""
    if (target is None) == (targets is None):
        raise InputError("give explain either a target or a list of targets")
    if isinstance(target, Sequence):
        raise InputError("several targets are given by their name: explain(..., targets=[...])")
    return [target] if target is not None else targets or ()

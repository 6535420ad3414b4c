"""Why a detection is there, or is not, or is another: one question, search and answer a kind."""

from __future__ import annotations

import time
import warnings
from typing import Any, overload

from vps.core.detect import Detection, as_target
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.targets import Target
from vps.engine.budget import Budget, as_budget
from vps.engine.problem import Problem
from vps.errors import DetectorError, IncompleteError, InputError
from vps.explaining.cost import planned_passes
from vps.explaining.explain import make_explanations
from vps.explaining.failure_sets import FailureSets, most_searches
from vps.explaining.settings import as_problem, check_seed, check_threshold, sort_settings
from vps.explaining.tracing import trace
from vps.explaining.updates import OnUpdate, updating
from vps.methods import Method
from vps.methods.search.vps import VPS
from vps.results.answer import Answer
from vps.search.settings import AUTO, passes_allowed
from vps.sets.goals import with_rival


@overload
def explain_failure(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    *,
    rival: Target | Detection | None = None,
    threshold: float = 0.3,
    set_passes: int | None = None,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> Answer: ...


@overload
def explain_failure(
    detector: Problem,
    *,
    threshold: float = 0.3,
    set_passes: int | None = None,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> Answer: ...


def explain_failure(
    detector: Detector | Problem,
    image: AnyImage | None = None,
    target: Target | Detection | None = None,
    *,
    rival: Target | Detection | None = None,
    threshold: float = 0.3,
    set_passes: int | None = None,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    seed: int = 0,
    on_update: OnUpdate | None = None,
    **settings: Any,
) -> Answer:
    """Which regions make a detection, which prevent it, and which hiding would change it.

    What is asked depends on the target's kind:

        correct, grounded_right      the smallest sufficient and the smallest necessary set
        background, duplicate        likewise; what is necessary is what to hide to be rid of it
        missed                       the smallest set that is found alone, the part of the path that
                                     is found best, and the smallest hiding that makes the detector
                                     find the target: the distractors
        classification, localisation,
        both, grounded_wrong         with a rival B: the smallest sets that alone make A win, and
                                     B, and the smallest hiding that turns B into A. A wins where
                                     it is found and s_A > s_B; with one label on two boxes, that
                                     is the contrast of how well the boxes fit

    Of a phrase that is correct, or grounded right or wrong, it is also asked which words
    matter, if the detector can hide words, see `vps.explaining.words.explain_words`.

    For a duplicate, the rival may be the detection that it duplicates; then candidates that fit
    that one better do not count as the duplicate's, and what to hide leaves it as it is, see
    `vps.sets.goals.single`.

    `Answer.passes` counts all passes, also the one that shows the whole image before anything else,
    by which a detector that is not deterministic is noticed; a warning says so.

    The target and its rival share every pass, and the searches for sets start from what the
    searches for the orders have seen.

    Args:
        detector: what is explained; or a `Problem` in mode "object", whose targets are those of
            `vps.sets.goals.with_rival`.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: of the kind that is asked about; where it has a rival, the truth.
        rival: what the detector said instead, by default as for `vps.sets.goals.with_rival`.
        threshold: the lowest score of a detection, in [0.01, 1]; its IoU must exceed 0.5.
        set_passes: about the most passes for each of the sets, beside the search of the orders; by
            default, as many as the effort of "vps" allows for the order of one target.
        method: what orders the regions first.
        budget: of all together: orders, curves, sets, fills and words. The search of the orders
            stops at half of its passes or seconds, and what their curves lack is measured then;
            each set may take half of the passes that are left. Without one, the method and
            `set_passes` say what it costs.
        seed: of all that is drawn at random.
        on_update: called after each round of the search of the orders with the target's explanation
            so far, as for `vps.explaining.explain.explain`.
        settings: of the problem and the method, as for `vps.explaining.explain.explain`; the mode
            is "object", and all prompts are asked, for what is found depends on what else it could
            be called. (A `Problem` of which only some are tells what is found among their labels.)

    Returns:
        The answer, also after Ctrl-C: what was not searched for until then is None, and
        `Answer.stopped` says so.

    Raises:
        InputError: an image, target or setting that cannot be used; before the first pass.
        DetectorError: the detector fails or breaks its contract.
        IncompleteError: it fails once the whole image and nothing have been seen; `partial` holds
            the answer as far as it is known.
        CancelledError: the end came before anything was known.
    """
    start = time.monotonic()
    chosen, of_problem = sort_settings(method, settings)
    cost = as_budget(budget)
    check_seed(seed)
    check_threshold(threshold)
    if set_passes is not None and set_passes < 0:
        raise InputError(f"a number of passes is 0 or more, got {set_passes}")
    if target is None:
        problem = _with_rival(as_problem(detector, image, None, of_problem))
    else:
        targets = with_rival(as_target(target), None if rival is None else as_target(rival))
        problem = as_problem(detector, image, targets, {"all_prompts": True, **of_problem})
    if problem.mode != "object":
        raise InputError(f"failures are explained in mode object, got {problem.mode}")
    # Sets are looked for among regions, so orders are of regions, too.
    problem = problem.varied(map_replay="regions")
    told = updating(
        cost.first(0.5),
        problem,
        chosen,
        lambda cut, so_far: make_explanations(
            cut, so_far, seconds=so_far.seconds, seed=seed, effects=False
        ),
        on_update and (lambda found: on_update(found[0])),
    )
    traced = trace(problem, chosen, told, seed, most=cost.passes)
    failure: DetectorError | None = None
    try:
        explanations = make_explanations(
            problem, traced, seconds=time.monotonic() - start, seed=seed
        )
    except IncompleteError as error:
        explanations, failure = error.partial, error
    if set_passes is None:
        set_passes = usual_set_passes(chosen, problem.regions.count)
    asked = FailureSets(problem, traced, explanations, threshold, set_passes, cost)
    sets = asked.sets()
    words = asked.words()
    for note in dict.fromkeys(note for one in explanations for note in one.warnings):
        warnings.warn(note, stacklevel=2)
    target, *others = problem.targets
    answer = Answer(
        kind=target.kind,
        target=target,
        rival=others[0] if others else None,
        explanation=explanations[0],
        rival_explanation=explanations[1] if others else None,
        **sets,
        words=words,
        before=asked.before(),
        best_score=asked.best_score(),
        threshold=threshold,
        passes=asked.passes,
        seconds=time.monotonic() - start,
        stopped=asked.stopped,
    ).with_image(problem.picture)
    failure = failure or asked.error
    if failure is not None:
        text = str(failure)
        if not isinstance(failure, IncompleteError):
            text += f"; the detector failed after {answer.passes} passes, what they tell is kept"
        raise IncompleteError(text, [answer]) from failure
    return answer


def usual_set_passes(method: Method, regions: int) -> int:
    """About the most passes for a set, by default: what the effort allows for an order."""
    effort = method.effort if isinstance(method, VPS) else VPS().effort
    return passes_allowed(AUTO, effort, None, regions) or 0


def planned_failure_passes(problem: Problem, method: Method, budget: Budget) -> int:
    """About the most passes that `explain_failure` makes, but for those of words."""
    if budget.passes is not None:
        return budget.passes
    sets = most_searches(problem.targets) * usual_set_passes(method, problem.regions.count)
    return planned_passes(problem, method, budget) + sets


def _with_rival(problem: Problem) -> Problem:
    """The same about its target, and the rival that its kind has, if that is not there yet."""
    first, *others = problem.targets
    targets = with_rival(first, others[0] if others else None)
    if len(others) > 1 or (others and targets != problem.targets):
        raise InputError(
            "a failure is of one target, and the rival that it is held against, where its kind has "
            f"one; the problem has {len(problem.targets)} targets"
        )
    return problem if targets == problem.targets else problem.about(targets)

"""Why a detection is there, or is not, or is another: one question, search and answer a kind."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

from vps.core.detect import Detection, as_target
from vps.core.detector import Detector
from vps.core.images import AnyImage, open_image
from vps.core.masking import Colour
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.engine.problem import make_problem
from vps.errors import DetectorError, IncompleteError, InputError
from vps.explaining.explain import check_run, make_explanations
from vps.explaining.failure_sets import FailureSets
from vps.methods.vps import by_search
from vps.results.answer import Answer
from vps.search.driver import SearchProgress
from vps.search.settings import AUTO, passes_allowed
from vps.sets.goals import with_rival


def explain_failure(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    *,
    rival: Target | Detection | None = None,
    threshold: float = 0.3,
    set_passes: int | None = None,
    regions: int | Regions = 64,
    region_method: str = "slico",
    search: str = AUTO,
    effort: str = "balanced",
    budget: int | float | None = None,
    time_limit: float | None = None,
    fill: str | Colour = "mean",
    lambdas: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 8,
    seed: int = 0,
    progress: Callable[[SearchProgress], None] | None = None,
    image_name: str | None = None,
    all_prompts: bool = False,
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

    The target and its rival share every pass, and the searches for sets start from what the
    searches for the orders have seen.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: of the kind that is asked about; where it has a rival, the truth.
        rival: what the detector said instead, by default as for `vps.sets.goals.with_rival`.
        threshold: the lowest class score of a detection; its IoU must exceed 0.5.
        set_passes: about the most passes for each of the sets, beside the search of the orders; by
            default, as many as the effort allows for the order of one target.
        time_limit: seconds after which no search begins a further batch; the search of the orders
            stops at half of it, and what their curves lack is measured then.
        regions, region_method, search, effort, budget, fill, lambdas, batch_size, seed, progress,
            image_name, all_prompts: as for `vps.explaining.explain.explain`; the mode is "object".

    Returns:
        The answer, also after Ctrl-C: what was not searched for until then is None, and
        `Answer.stopped` says so.

    Raises:
        InputError: an image, target or setting that cannot be used; before the first pass.
        DetectorError: the detector fails or breaks its contract.
        IncompleteError: it fails once the whole image and nothing have been seen; `partial` holds
            the answer as far as it is known.
    """
    start = time.monotonic()
    check_run(search, effort, budget, time_limit, seed)
    if not 0 < threshold <= 1:
        raise InputError(f"a threshold lies in (0, 1], got {threshold}")
    if set_passes is not None and set_passes < 0:
        raise InputError(f"a number of passes is 0 or more, got {set_passes}")
    target = as_target(target)
    targets = with_rival(target, None if rival is None else as_target(rival))
    rgb, name = open_image(image)
    problem = make_problem(
        detector,
        rgb,
        targets,
        regions=regions,
        region_method=region_method,
        fill=fill,
        lambdas=lambdas,
        batch_size=batch_size,
        all_prompts=all_prompts,
    )
    source = problem.passes()
    end = None if time_limit is None else start + time_limit
    half = None if time_limit is None else time_limit / 2 - (time.monotonic() - start)
    found = by_search(problem, search, effort, budget, half, seed, progress, source)
    failure: DetectorError | None = None
    try:
        explanations = make_explanations(
            problem,
            found,
            seconds=time.monotonic() - start,
            seed=seed,
            image_name=name if image_name is None else image_name,
        )
    except IncompleteError as error:
        explanations, failure = error.partial, error
    if set_passes is None:
        set_passes = passes_allowed(AUTO, effort, None, problem.regions.count)
    asked = FailureSets(
        problem,
        source,
        explanations,
        threshold,
        passes=set_passes,
        deadline=end,
        progress=progress,
    )
    sets = asked.sets()
    words = asked.words(rgb)
    for note in dict.fromkeys(note for one in explanations for note in one.warnings):
        warnings.warn(note, stacklevel=2)
    answer = Answer(
        kind=target.kind,
        target=targets[0],
        rival=targets[1] if len(targets) > 1 else None,
        explanation=explanations[0],
        rival_explanation=explanations[1] if len(targets) > 1 else None,
        **sets,
        words=words,
        best_score=asked.best_score(),
        whole_score=asked.whole_score(),
        threshold=threshold,
        passes=source.passes + asked.word_passes,
        seconds=time.monotonic() - start,
        stopped=asked.stopped,
    )
    failure = failure or asked.error
    if failure is not None:
        text = str(failure)
        if not isinstance(failure, IncompleteError):
            text += f"; the detector failed after {answer.passes} passes, what they tell is kept"
        raise IncompleteError(text, [answer]) from failure
    return answer

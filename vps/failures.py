"""Why a detection is there, or is not, or is another: one question, search and answer a kind."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from vps.answer import Answer, RegionSet
from vps.detector import Detector
from vps.errors import InputError
from vps.explain import AnyImage, open_image, told
from vps.goals import CONTRASTS, FALSE, Goal, repaired, seen, unseen, wins, with_rival
from vps.masking import Colour
from vps.ordering import by_search
from vps.passes import Passes
from vps.question import Question, ask
from vps.regions import Regions
from vps.replay import prefixes
from vps.result import Explanation
from vps.search.driver import Progress
from vps.search.settings import AUTO, check_search, passes_allowed
from vps.sets import smallest_set
from vps.targets import Kind, Target


def explain_failure(
    detector: Detector,
    image: AnyImage,
    target: Target,
    *,
    rival: Target | None = None,
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
    progress: Callable[[Progress], None] | None = None,
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

    The target and its rival share every pass, and the searches for sets start from what the
    searches for the orders have seen.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: of the kind that is asked about; where it has a rival, the truth.
        rival: what the detector said instead; by default `target.said_label` on the same box for
            "classification", otherwise `said_label` (or the same label) on `said_box`.
        threshold: the lowest class score of a detection; its IoU must exceed 0.5.
        set_passes: about the most passes for each of the sets, beside the search of the orders; by
            default, as many as the effort allows for the order of one target.
        regions, region_method, search, effort, budget, time_limit, fill, lambdas, batch_size, seed,
            progress, image_name, all_prompts: as for `vps.explain.explain`; the mode is "object".

    Raises:
        InputError: an image, target or setting that cannot be used.
        DetectorError: the detector fails or breaks its contract.
        IncompleteError: it fails during the search of the orders.
    """
    start = time.perf_counter()
    check_search(search, effort, budget)
    if not 0 < threshold <= 1:
        raise InputError(f"a threshold lies in (0, 1], got {threshold}")
    if set_passes is not None and set_passes < 0:
        raise InputError(f"a number of passes is 0 or more, got {set_passes}")
    targets = with_rival(target, rival)
    rgb, name = open_image(image)
    question = ask(
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
    source = question.passes()
    found = by_search(question, search, effort, budget, time_limit, seed, progress, source)
    explanations = told(
        question,
        found,
        seconds=time.perf_counter() - start,
        seed=seed,
        image_name=name if image_name is None else image_name,
    )
    if explanations[0].stopped == "interrupted":
        raise KeyboardInterrupt
    if set_passes is None:
        set_passes = passes_allowed(AUTO, effort, None, question.regions.count)
    asked = _Asked(question, source, explanations, threshold, set_passes)
    best = asked.best_score()
    sets = asked.sets()
    for note in dict.fromkeys(note for one in explanations for note in one.warnings):
        warnings.warn(note, stacklevel=2)
    return Answer(
        kind=target.kind,
        target=target,
        rival=targets[1] if len(targets) > 1 else None,
        explanation=explanations[0],
        rival_explanation=explanations[1] if len(targets) > 1 else None,
        **sets,
        best_score=max(best, asked.best_score()),
        whole_score=asked.whole_score(),
        threshold=threshold,
        passes=source.passes,
        seconds=time.perf_counter() - start,
    )


class _Asked:
    """The searches for sets that a kind asks for, on what the searches of the orders have seen."""

    def __init__(
        self,
        question: Question,
        source: Passes,
        explanations: Sequence[Explanation],
        threshold: float,
        passes: int | None,
    ) -> None:
        self._question, self._source = question, source
        self._explanations = explanations
        self._threshold = threshold
        self._passes = passes

    def sets(self) -> dict[str, RegionSet | None]:
        """The sets of the answer, by the name of its field."""
        targets = self._question.targets
        kind, at = targets[0].kind, self._threshold
        orders = [explanation.order for explanation in self._explanations]
        away = repair_orders(self._question, orders)
        if kind in CONTRASTS:
            order, other = orders
            return {
                "sufficient": self._find(wins(0, 1, at), [order, other[::-1]], hide=False),
                "rival_sufficient": self._find(wins(1, 0, at), [other, order[::-1]], hide=False),
                "repair": self._find(repaired(targets, at), away, hide=True),
            }
        sets = {"sufficient": self._find(seen(0, at), orders[:1], hide=False)}
        if kind is Kind.MISSED:
            sets["best"] = self._best_step()
        else:
            sets["necessary"] = self._find(unseen(0, at), orders[:1], hide=True)
        if kind is Kind.MISSED or kind in FALSE:
            sets["repair"] = self._find(repaired(targets, at), away, hide=True)
        return sets

    def best_score(self) -> float:
        """The highest class score with IoU > 0.5 of any subset seen."""
        return float(self._source.rows[:, 0, 7].max(initial=0))

    def whole_score(self) -> float:
        """The same of the whole image."""
        whole = np.ones((1, self._question.regions.count), bool)
        return float(self._source.evaluate(whole)[0, 0, 7])

    def _find(self, goal: Goal, orders: Sequence[np.ndarray], *, hide: bool) -> RegionSet | None:
        found = smallest_set(self._source, goal, orders, hide=hide, passes=self._passes)
        if found.regions is None:
            return None
        return self._described(found.regions, hide, found.exact)

    def _described(self, regions: np.ndarray, hide: bool, exact: bool) -> RegionSet:
        shown = np.full((1, self._question.regions.count), hide)
        shown[0, regions] = not hide
        rows = self._source.evaluate(shown)[0]
        x1, y1, x2, y2 = rows[0, 3:7].tolist()
        return RegionSet(
            regions=tuple(int(region) for region in regions),
            area=float(self._question.regions.areas[regions].sum()),
            hidden=hide,
            score=float(rows[0, 0]),
            class_score=float(rows[0, 1]),
            iou=float(rows[0, 2]),
            box=(x1, y1, x2, y2),
            found_score=float(rows[0, 7]),
            rival_score=float(rows[1, 0]) if len(rows) > 1 else None,
            exact=exact,
        )

    def _best_step(self) -> RegionSet | None:
        """The prefix of the path with the highest class score at the IoU, as in the paper."""
        order = self._explanations[0].order
        scores = self._source.evaluate(prefixes(order))[:, 0, 7]
        step = int(np.argmax(scores))
        if not scores[step] > 0:
            return None
        return self._described(np.sort(order[:step]), hide=False, exact=False)


def repair_orders(question: Question, orders: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Orders in which to hide regions so that a failure goes away, likely ones first.

    Args:
        question: of the failure: its target, and the rival where there is one.
        orders: (m,) of each target, those that make it first.

    Returns:
        (m,) each: what speaks for the rival, or for a false box itself, first; what speaks least
        for a missed target, and what lies around it.
    """
    kind = question.targets[0].kind
    if kind is Kind.MISSED:
        return [orders[0][::-1], _around(question)]
    if kind in CONTRASTS:
        return [orders[1], orders[0][::-1]]
    return [orders[0], *(order[::-1] for order in orders[1:])]


def _around(question: Question) -> np.ndarray:
    """Regions outside the target's box, the nearest first, and then those in it."""
    labels = question.regions.label_map
    height, width = labels.shape
    scale = np.array([width, height, width, height]) / np.tile(question.size[::-1], 2)
    x1, y1, x2, y2 = np.array(question.targets[0].box) * scale
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    across = np.maximum(np.maximum(x1 - x, x - x2), 0)
    down = np.maximum(np.maximum(y1 - y, y - y2), 0)
    away = np.hypot(across, down).ravel()
    sizes = np.bincount(labels.ravel())
    inside = np.bincount(labels.ravel(), away == 0) / sizes
    distance = np.bincount(labels.ravel(), away) / sizes
    return np.lexsort((distance, np.where(inside > 0.05, inside, 0)))

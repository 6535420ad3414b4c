"""What all methods of a case share, and the row that tells how well one of them did."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.core.targets import Box
from vps.data.sample import Sample
from vps.engine.attribution import OURS
from vps.engine.problem import Problem, make_problem
from vps.errors import InputError
from vps.metrics.fidelity import random_subsets
from vps.metrics.measured import Fidelity
from vps.metrics.measures import MetricSettings, measure
from vps.results.explanation import Explanation
from vps.results.repair import Repair
from vps.sets.goals import with_rival
from vps.study.config import StudyConfig
from vps.study.plan import Task
from vps.study.repair import repair
from vps.study.store import identity

NO_FAILURE = (
    "nothing to repair: hiding nothing, the goal is attained already, as at another threshold or "
    "with another detection of the label in the box"
)


class KnownCase(Protocol):
    """What is known of a case when a result of it is measured, see `PreparedCase`."""

    @property
    def image_name(self) -> str: ...
    @property
    def truth_box(self) -> Box | None: ...
    @property
    def mask(self) -> np.ndarray | None: ...
    @property
    def fidelity(self) -> Fidelity | None: ...


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case, ready to be explained and measured.

    Attributes:
        problem: the case's target in its image; where the data set has phrases, the detector is
            asked for that of the case.
        sample: the image with its annotations.
        truth_box: of the object that the case belongs to; None for a box on nothing.
        mask: (H, W) bool, of the same object; None where there is none.
        fidelity: random subsets and what the detector says of them; None where none are wanted.
    """

    problem: Problem
    sample: Sample
    truth_box: Box | None
    mask: np.ndarray | None
    fidelity: Fidelity | None

    @property
    def image_name(self) -> str:
        """Of the image file, for people."""
        return self.sample.name


def prepare_case(
    task: Task, sample: Sample, detector: Detector, config: StudyConfig, batch_size: int
) -> PreparedCase:
    """Cut the image, and ask the detector about random subsets, once for all methods.

    Raises:
        InputError: the image does not have the case's object, or cannot be cut.
        DetectorError: the detector fails or breaks its contract.
    """
    problem = make_problem(
        detector,
        OpenedImage(sample.image, sample.size),
        [task.case.target],
        regions=config.regions.file or config.region_count(task.dataset, task.case.kind),
        region_method=config.regions.method,
        numbering=config.regions.numbering,
        fill=config.fill,
        mode=config.mode,
        lambdas=config.lambdas,
        batch_size=batch_size,
        image_name=sample.name or None,
        map_rule=config.metrics.map_rule or OURS,
        map_replay=config.metrics.map_replay,
    )
    truth, mask = object_of(task, sample)
    return PreparedCase(problem, sample, truth, mask, _fidelity(problem, task, config.metrics))


def repair_of(task: Task, method: str, problem: Problem, config: StudyConfig) -> Repair | None:
    """What a method finds to hide so that a failure goes away; None where that is not asked.

    Raises:
        InputError: a failure that lacks what the detector said instead, or a setting out of range.
        DetectorError: the detector fails or breaks its contract.
        KeyboardInterrupt: Ctrl-C.
    """
    if not config.repair.passes or not task.case.kind.traits.failure:
        return None
    threshold = config.repair.threshold
    assert threshold is not None  # the config has one where repairs are looked for
    return repair(
        problem.about(with_rival(task.case.target), mode="object", all_prompts=True),
        config.method(method),
        passes=config.repair.passes,
        threshold=threshold,
        seed=case_seed(config.seed, task),
    )


def row_of(
    task: Task,
    method: str,
    digest: str,
    explanation: Explanation,
    scene: KnownCase,
    config: StudyConfig,
    picture: str | None,
    found: Repair | None,
) -> dict[str, Any]:
    """The row of a result, see `vps.study.store`.

    Args:
        task, method, digest: what the result is of.
        explanation: of the case by the method.
        scene: of the case.
        config: the settings of the metrics.
        picture: its path from the folder of the study.
        found: the repair of the case by the method; None where none was looked for.
    """
    metrics = measure(
        explanation,
        truth_box=scene.truth_box,
        mask=scene.mask,
        fidelity=scene.fidelity,
        repair=found,
        repair_shares=config.repair.areas,
        settings=config.metrics,
    )
    warnings = list(explanation.warnings)
    if found is not None and found.regions == ():
        warnings.append(NO_FAILURE)
    curves = {name: getattr(explanation, name) for name in ("areas", "insertion", "deletion")}
    return {
        **identity(task),
        "image_name": scene.image_name,
        "method": method,
        "digest": digest,
        "replay": explanation.replay,
        "metrics": metrics,
        "curves": {name: values.tolist() for name, values in curves.items()},
        "picture": picture,
        "warnings": warnings,
        "repair": None if found is None else _told(found),
    }


def _told(found: Repair) -> dict[str, Any] | None:
    """What a row says of a repair beside its metrics; None where nothing was found."""
    if found.regions is None:
        return None
    return {
        "regions": list(found.regions),
        "area": found.area,
        "exact": found.exact,
        "score": found.found_score,
        "fills": found.fills,
        "beside_area": found.beside_area,
    }


def case_seed(seed: int, task: Task) -> int:
    """A seed of its own for each case: with one for all, the errors of chance would add up."""
    text = f"{seed}/{task.dataset}/{task.case.image_id}/{task.case.key}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _fidelity(problem: Problem, task: Task, settings: MetricSettings) -> Fidelity | None:
    if settings.fidelity_subsets == 0:
        return None
    hidden = random_subsets(
        settings.fidelity_subsets,
        problem.regions.count,
        case_seed(settings.seed, task),
        settings.fidelity_share,
        settings.fidelity_draw,
    )
    scores = problem.passes().evaluate(~hidden).score[:, 0]
    return Fidelity(hidden, scores, problem.regions.label_map)


def object_of(task: Task, sample: Sample) -> tuple[Box | None, np.ndarray | None]:
    """Box and mask of the object that a case belongs to; None where there is none.

    Raises:
        InputError: the image does not have it.
    """
    wanted = task.case.object_id
    if wanted is None:
        return None, None
    if wanted not in sample.object_ids:
        raise InputError(f"{task}: the data set has no annotation {wanted} in this image")
    number = sample.object_ids.index(wanted)
    x1, y1, x2, y2 = sample.boxes[number].tolist()
    return (x1, y1, x2, y2), sample.mask(number)

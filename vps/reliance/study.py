"""The facts of a study's cases: from its results and a few passes more, once a case, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vps.core.detector import Detector
from vps.core.file_names import safe_name
from vps.core.files import write_atomically
from vps.core.images import OpenedImage
from vps.core.json_files import read_json_record
from vps.core.names import choose
from vps.core.regions import Regions
from vps.core.schema import build, to_plain
from vps.data.cases.asking import Vocabulary
from vps.data.cases.cases import CaseList
from vps.data.dataset import Dataset
from vps.data.sample import Sample
from vps.engine.problem import make_problem
from vps.errors import InputError, VpsError, one_line
from vps.reliance.facts import (
    CaseFacts,
    evidence_facts,
    fact_passes,
    measured_facts,
    scenery_of,
)
from vps.results.explanation import Explanation
from vps.study.case import case_seed
from vps.study.config import StudyConfig
from vps.study.inputs import load_detector, open_data
from vps.study.plan import Task, plan
from vps.study.store import Store, facts_of

PASS_SHARE = 0.1
"""Of the passes of a case's explanations, what may be spent on it here."""

_VERSION = 1  # counted up when the same settings come to give other facts


class CaseRecord(NamedTuple):
    """What became of a case.

    Attributes:
        task: the case.
        picture: of its explanation, from the study's folder; None where there is none.
        spent: passes of its explanations by all methods.
        facts: None where it failed.
        error: why; "" where it did not.
    """

    task: Task
    picture: str | None
    spent: float
    facts: CaseFacts | None
    error: str = ""


def chosen_method(config: StudyConfig, name: str | None) -> str:
    """The method whose maps are read: by default the first of the study.

    Raises:
        InputError: the study has no such method.
    """
    if name is None:
        return next(iter(config.methods))
    choose(config.methods, name, "method of the study")
    return name


@dataclass
class CaseReader:
    """Finds out the facts of cases, one after the other.

    Attributes:
        config: of the study.
        lists: the cases of each data set.
        method: whose maps are read.
        loader: "module:function", see `vps.study.inputs.load_detector`.
        device: where the detector runs.
        share: of the passes of a case's explanations, what may be spent on it.
    """

    config: StudyConfig
    lists: Mapping[str, CaseList]
    method: str
    loader: str
    device: str
    share: float = PASS_SHARE
    _opened: tuple[str, Dataset, Detector, Vocabulary] | None = field(default=None, repr=False)
    _sample: tuple[object, Sample] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError(f"the share of passes must lie in [0, 1], got {self.share:g}")
        self._store = Store(self.config, facts_of(self.lists))

    def records(self) -> Iterator[CaseRecord]:
        """One a case that the study has a result of, in the order of the study.

        Raises:
            InputError: a data set or a detector that cannot be opened.
            OutputError: a file cannot be written.
        """
        for tasks in plan(self.lists):
            for task in tasks:
                found = self._record(task)
                if found is not None:
                    yield found

    def _record(self, task: Task) -> CaseRecord | None:
        rows = {name: self._store.row(task, name) for name in self._store.methods}
        row = rows[self.method]
        if row is None:
            return None
        spent = sum(one["metrics"].get("passes", 0.0) for one in rows.values() if one)
        most = fact_passes(spent, self.share)
        name = f"{task.dataset}-{task.case.image_id}-{task.case.key}-{self.method}"
        path = Path(self.config.out) / "reliance" / f"{safe_name(name)}.json"
        about = f"{_VERSION}/{row['digest']}/{most}/{self.config.select.score_threshold}"
        facts = _kept(path, about)
        if facts is None:
            self._open(task.dataset)
            try:
                facts = self._found_out(task, most)
            except VpsError as error:
                return CaseRecord(task, row["picture"], spent, None, one_line(error))
            content = {"about": about, "facts": to_plain(facts)}
            write_atomically(path, json.dumps(content).encode())
        return CaseRecord(task, row["picture"], spent, facts)

    def _open(self, name: str) -> None:
        if self._opened is None or self._opened[0] != name:
            dataset = open_data(self.config, name)
            detector = load_detector(self.config, dataset, self.loader, self.device)
            rename = self.config.datasets[name].rename
            words = Vocabulary.between(tuple(detector.labels), dataset.labels, rename)
            self._opened = name, dataset, detector, words

    def _found_out(self, task: Task, most: int) -> CaseFacts:
        assert self._opened is not None
        _, dataset, detector, words = self._opened
        case, config = task.case, self.config
        key = task.dataset, case.image_id
        if self._sample is None or self._sample[0] != key:
            self._sample = key, words.renamed(dataset.find(case.image_id))
        sample = self._sample[1]
        explanation = Explanation.load(self._store.path(task, self.method))
        problem = make_problem(
            detector,
            OpenedImage(sample.image, sample.size),
            [case.target],
            regions=Regions(explanation.label_map, explanation.region_method),
            fill=config.fill,
            mode=config.mode,
            batch_size=config.batch_size,
        )
        grid = (problem.pixels.shape[1], problem.pixels.shape[2])
        scenery = scenery_of(sample, case.object_id, case.target.box, grid, words.to_detector)
        facts = evidence_facts(
            explanation, scenery, dataset=task.dataset, image_id=case.image_id, case=case.key
        )
        return measured_facts(
            facts,
            problem,
            scenery,
            threshold=config.select.score_threshold,
            most=most,
            seed=case_seed(config.seed, task),
        )


def without_phrases(
    config: StudyConfig, lists: Mapping[str, CaseList]
) -> tuple[dict[str, CaseList], list[str]]:
    """The data sets whose labels are classes, and what to say of the others.

    Raises:
        InputError: there is no such data set.
    """
    phrases = [name for name in lists if open_data(config, name).grounding]
    if len(phrases) == len(lists):
        raise InputError(
            f"{config.name}: its data sets have phrases, not classes; reliance is of classes"
        )
    left = {name: cases for name, cases in lists.items() if name not in phrases}
    return left, [f"{name}: left out, it has phrases and no classes" for name in phrases]


def _kept(path: Path, about: str) -> CaseFacts | None:
    """What a file says of a case by the same settings; a damaged one counts as missing."""
    try:
        content = read_json_record(path, "facts of a case")
        if content.get("about") != about:
            return None
        facts: CaseFacts = build(CaseFacts, content["facts"])
    except (InputError, KeyError):
        return None
    return facts

"""One worker: a detector and all that it takes to turn a task into files."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.needed import needed_by
from vps.data.dataset import Dataset
from vps.data.sample import Sample
from vps.engine.problem import Problem
from vps.errors import InputError, OutputError, one_line
from vps.explaining.explain import explain
from vps.report.figures.thumbnail import thumbnail
from vps.results.explanation import Explanation
from vps.study.case import PreparedCase, case_seed, prepare_case, repair_of, row_of
from vps.study.config import StudyConfig
from vps.study.inputs import asked_labels, load_detector, open_data
from vps.study.looks import look_at
from vps.study.memory import BatchFit, is_broken
from vps.study.plan import ImageRange, Task, Work
from vps.study.replies import Reply
from vps.study.store import Facts, Status, Store


class ImageError(InputError):
    """The image of a case cannot be read."""


class Worker:
    """Looks for cases or explains them, one after the other, and writes what comes out.

    Data sets and detector are opened when first needed and kept; so is the last image, because the
    cases of an image come one after the other.

    Args:
        config: of the study.
        facts: see `vps.study.store.facts_of`.
        loader: "module:function", see `vps.study.inputs.load_detector`.
        device: where the detector runs.
        threads: how many cores it may use; None leaves that as it is.
    """

    def __init__(
        self,
        config: StudyConfig,
        facts: Mapping[str, Facts],
        loader: str,
        device: str,
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._config = config
        self._store = Store(config, facts)
        self._facts = facts
        self._loader = loader
        self._device = device
        self._fitting = BatchFit(config.batch_size)
        self._datasets: dict[str, Dataset] = {}
        self._detector: tuple[tuple[str, ...], Detector] | None = None
        self._sample: tuple[tuple[Any, ...], Sample] | None = None
        self._scene: tuple[Task, PreparedCase] | None = None

    def open(self, dataset: str) -> None:
        """Open a data set and load the detector for it, as `run` would; raises what it does."""
        self._detector_for(self._dataset(dataset))

    def run(self, work: Work) -> Reply:
        """Explain a case by the methods whose results are missing, or look at images for cases.

        Returns:
            What became of each method; what failed has an error record.

        Raises:
            OutputError: a result cannot be written.
            InputError: the data set cannot be opened, or the detector not be loaded; in a
                selection, see `vps.data.cases.select.select_cases`, too.
            DetectorError: likewise, for a reason that the detector's library gives.
            KeyboardInterrupt: Ctrl-C; nothing half-finished is kept.
            SystemExit: the device is of no more use to this process.
        """
        return self._look_at(work) if isinstance(work, ImageRange) else self._explain_by_all(work)

    def _look_at(self, work: ImageRange) -> Reply:
        dataset = self._dataset(work.dataset)
        detector = self._detector_for(dataset)
        try:
            look_at(work, dataset, detector, self._config, self._fitting)
        except Exception as error:
            _leave_if_broken(work, error)
            raise
        return Reply()

    def _explain_by_all(self, task: Task) -> Reply:
        with self._store.lock(task) as free:
            if not free:
                return Reply(busy=True)
            rows = {method: self._store.row(task, method) for method in self._store.methods}
            reply = Reply(aucs={name: aucs_of(row) for name, row in rows.items() if row})
            missing = [method for method, row in rows.items() if row is None]
            if missing:
                self._store.sweep(task)
                dataset = self._dataset(task.dataset)
                detector = self._detector_for(dataset)
                for method in missing:
                    reply = self._try(task, method, dataset, detector, reply)
            return reply

    def _try(
        self, task: Task, method: str, dataset: Dataset, detector: Detector, reply: Reply
    ) -> Reply:
        status: Status = "done"
        message = reply.message
        aucs = dict(reply.aucs)
        try:
            compute = partial(self._compute, task, method, dataset, detector)
            aucs[method] = aucs_of(self._fitting.run(compute))
        except OutputError:
            raise
        except Exception as error:
            _leave_if_broken(task, error)
            # Whatever a model or a method raises, the other cases go on.
            status = "skipped" if isinstance(error, ImageError) else "failed"
            message = message or f"{task}, method {method}: {one_line(error)}"
            self._store.save_error(task, method, error, status)
        return Reply({**reply.statuses, method: status}, aucs, message=message)

    def _compute(
        self, task: Task, method: str, dataset: Dataset, detector: Detector, batch_size: int
    ) -> dict[str, Any]:
        """Write all files of a result; returns its row."""
        scene = self._look(task, dataset, detector, batch_size)
        problem = scene.problem.varied(batch_size=batch_size)
        explanation = self._explain(task, method, problem)
        repair = repair_of(task, method, problem, self._config)
        store, picture = self._store, None
        explanation.save(store.path(task, method))
        if self._config.run.pictures:
            path = store.path(task, method, ".jpg")
            hidden = () if repair is None else repair.regions or ()
            thumbnail(explanation, scene.sample.image, path, hidden)
            picture = store.picture(task, method)
        digest = store.digest(task, method)
        row = row_of(task, method, digest, explanation, scene, self._config, picture, repair)
        store.save_row(task, method, row)
        return row

    def _explain(self, task: Task, method: str, problem: Problem) -> Explanation:
        config = self._config
        with warnings.catch_warnings():
            # The row has them, each with its case.
            warnings.simplefilter("ignore", UserWarning)
            (explanation,) = explain(
                problem, method=config.method(method), seed=case_seed(config.seed, task)
            )
        explanation.stopped.raise_again()
        return explanation

    def _look(
        self, task: Task, dataset: Dataset, detector: Detector, batch_size: int
    ) -> PreparedCase:
        """What all methods share; made once a case."""
        if self._scene is None or self._scene[0] != task:
            sample = self._sample_of(task, dataset, detector)
            if dataset.grounding and isinstance(detector, OpenVocabularyDetector):
                detector = detector.with_labels((task.case.label,))
            scene = prepare_case(task, sample, detector, self._config, batch_size)
            self._scene = task, scene
        return self._scene[1]

    def _sample_of(self, task: Task, dataset: Dataset, detector: Detector) -> Sample:
        key = task.dataset, task.case.image_id
        if self._sample is None or self._sample[0] != key:
            self._scene = self._sample = None
            if not dataset.has(task.case.image_id):
                raise InputError(f"{task}: the data set has no such image")
            try:
                needed = partial(needed_by, detector)
                self._sample = key, dataset.find(task.case.image_id, needed)
            except InputError as error:
                raise ImageError(str(error)) from error
        return self._sample[1]

    def _dataset(self, name: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = open_data(self._config, name)
        return self._datasets[name]

    def _detector_for(self, dataset: Dataset) -> Detector:
        """The detector, asked for the labels of a data set; weights are loaded once if possible."""
        asked = asked_labels(self._config, dataset)
        detector = self._ask(dataset, asked)
        wanted = self._facts[dataset.name].labels
        if wanted and not dataset.grounding and wanted != tuple(detector.labels):
            raise InputError(
                f"the cases of {dataset.name} were selected with other labels than the detector is "
                f"asked for now ({len(wanted)} and {len(detector.labels)}): select them again"
            )
        return detector

    def _ask(self, dataset: Dataset, asked: tuple[str, ...]) -> Detector:
        if self._detector is not None:
            known, detector = self._detector
            if known == asked:
                return detector
            if isinstance(detector, OpenVocabularyDetector):
                # Phrases are asked one by one, whatever the detector was asked for before.
                detector = detector.with_labels(asked) if asked else detector
                self._detector = asked, detector
                return detector
        # Never two models at a time in the memory of a device.
        self._detector = self._scene = None
        self._detector = asked, load_detector(self._config, dataset, self._loader, self._device)
        return self._detector[1]


def _leave_if_broken(work: Work, error: Exception) -> None:
    """End this process where an error has left it without its device."""
    if is_broken(error):
        sys.exit(f"{work}: the device does not answer any more: {one_line(error)}")


def aucs_of(row: Mapping[str, Any]) -> tuple[float, float]:
    """Areas under insertion and deletion."""
    return row["metrics"]["insertion"], row["metrics"]["deletion"]

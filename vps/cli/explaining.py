"""What `vps explain` does once its options are checked: load, explain, save, print."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vps.cli.inputs import DetectorChoice
from vps.cli.output import box_text, noted, slug
from vps.cli.questions import Asked, question_of, targets_of
from vps.cli.settings import RunSettings, answer_question, explain_targets, show_progress
from vps.core.detect import Detection, detect
from vps.core.detector import Detector
from vps.core.regions import make_regions
from vps.core.targets import Kind
from vps.engine.budget import StopReason
from vps.errors import IncompleteError, VpsError
from vps.report.figures.answer import save_figures
from vps.report.figures.explanation import save_figure
from vps.report.figures.panels import regions_shown
from vps.results.explanation import Explanation


@dataclass(frozen=True)
class Explaining:
    """One call of `vps explain`, its options checked.

    Attributes:
        image: a file.
        out: a folder.
        suffix: of pictures.
        chosen, asked, run: the detector, what to explain, and how.
        saved: gets the path of each result when it is written.
    """

    image: Path
    out: Path
    suffix: str
    chosen: DetectorChoice
    asked: Asked
    run: RunSettings
    saved: list[Path]

    def __call__(self) -> None:
        """Explain, save and print.

        Raises:
            InputError: an image, a detector or a target that cannot be used.
            IncompleteError: the detector failed on the way; what is known is saved.
            KeyboardInterrupt: Ctrl-C; what is known is saved.
        """
        detector, image = self.chosen.load_with(self.image)
        found = detect(detector, image, self.chosen.threshold)
        if self.asked.why:
            self._answer(detector, image, found)
        else:
            self._explain(detector, image, found)

    def _explain(self, detector: Detector, image: np.ndarray, found: list[Detection]) -> None:
        """A map, and the curves along it, of one or several targets."""
        chosen = targets_of(self.asked, detector.labels, found, self.chosen.threshold)
        stem = self.image.stem
        names = [f"{stem}_{key}_{slug(target.label)}" for key, target in chosen]
        targets = [target for _, target in chosen]
        regions = make_regions(detector.prepare(image), self.run.regions, self.run.region_method)
        title = names[0] if len(names) == 1 else f"{stem}, {len(names)} detections"
        failure: VpsError | None = None
        with noted(), show_progress(title, self.run, regions, len(targets)) as progress:
            try:
                explanations = explain_targets(
                    detector,
                    image,
                    targets,
                    regions,
                    self.run,
                    image_name=self.image.name,
                    progress=progress,
                )
            except IncompleteError as error:
                explanations, failure = error.partial, error
        for name, explanation in zip(names, explanations, strict=True):
            self.saved.append(explanation.save(self.out / name))
            with noted():
                figure = save_figure(explanation, image, self.out / f"{name}.{self.suffix}")
            print(_summary(explanation, figure))
            for note in explanation.warnings:
                print(f"note: {note}", file=sys.stderr)
        if failure is not None:
            raise failure
        if explanations[0].stopped is StopReason.INTERRUPTED:
            raise KeyboardInterrupt

    def _answer(self, detector: Detector, image: np.ndarray, found: list[Detection]) -> None:
        """What is missed, wrong or needed: one answer, in a sentence and a picture."""
        question = question_of(self.asked, detector.labels, found, self.chosen.threshold)
        name = f"{self.image.stem}_{question.key}_{slug(question.target.label)}"
        regions = make_regions(detector.prepare(image), self.run.regions, self.run.region_method)
        failure: VpsError | None = None
        with noted(), show_progress(name, self.run) as progress:
            try:
                answer = answer_question(
                    detector,
                    image,
                    question,
                    regions,
                    self.run,
                    threshold=self.chosen.threshold,
                    image_name=self.image.name,
                    progress=progress,
                )
            except IncompleteError as error:
                (answer,), failure = error.partial, error
        self.saved.append(answer.save(self.out / name))
        with noted():
            figure = save_figures(answer, image, self.out / name, self.suffix)
        print(answer.sentence())
        print(f"{answer.passes} passes in {answer.seconds:.1f} s -> {figure}")
        if failure is not None:
            raise failure
        if answer.stopped is StopReason.INTERRUPTED:
            raise KeyboardInterrupt


def _summary(explanation: Explanation, figure: Path) -> str:
    target = explanation.target
    area = explanation.areas[regions_shown(explanation)]
    part = "best part" if target.kind is Kind.MISSED else "sufficient part"
    return (
        f"{target.label} {box_text(target.box)} ({target.kind.value}): {part} {area:.0%} of the "
        f"area, insertion AUC {explanation.insertion_auc:.3f}, deletion AUC "
        f"{explanation.deletion_auc:.3f}, {explanation.passes} passes in "
        f"{explanation.seconds:.1f} s -> {figure}"
    )

"""What `vps explain` does once its options are checked: load, explain, save, print."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vps.cli.claims import claim_name
from vps.cli.inputs import DetectorChoice, ImageChoice
from vps.cli.output import box_text, check_writable, noted, result_name
from vps.cli.questions import Asked, question_of, targets_of
from vps.cli.settings import RunSettings
from vps.core.detect import Detection, detect
from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.core.targets import Kind, Target
from vps.engine.problem import Problem, make_problem
from vps.errors import IncompleteError, VpsError
from vps.explaining.cost import cost_of, planned_passes
from vps.explaining.explain import explain
from vps.explaining.failure import explain_failure, planned_failure_passes
from vps.methods import Method
from vps.report.figures.answer import save_figures
from vps.report.figures.explanation import save_figure
from vps.report.figures.letters import latin_note
from vps.report.figures.panels import regions_shown
from vps.report.progress import ShowProgress, progress_bar
from vps.results.explanation import Explanation
from vps.sets.goals import with_rival


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

    image: ImageChoice
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
        if self.asked.box is not None and image.orientation != 1:
            height, width = image.size
            print(
                f"note: the image is turned as its EXIF orientation ({image.orientation}) says; "
                f"--box is taken as one of the turned image, {height} x {width} pixels (height x "
                "width); if it is of the image as stored, add --exif stored",
                file=sys.stderr,
            )
        found = detect(detector, image, self.chosen.threshold)
        if self.asked.why:
            self._answer(detector, image, found)
        else:
            self._explain(detector, image, found)

    def _explain(self, detector: Detector, image: OpenedImage, found: list[Detection]) -> None:
        """A map, and the curves along it, of one or several targets."""
        chosen = targets_of(self.asked, detector.labels, found, self.chosen.threshold)
        named = self._named()
        names = [result_name(named, key, target.label) for key, target in chosen]
        check_writable(self.out, names)
        targets = [target for _, target in chosen]
        problem, method = self._problem(detector, image, targets), self.run.method()
        title = names[0] if len(names) == 1 else f"{named.stem}, {len(names)} detections"
        planned = partial(planned_passes, problem, budget=self.run.budget())
        failure: VpsError | None = None
        with noted(), self._bar(title, method, planned) as progress:
            try:
                explanations = explain(
                    problem, method=method, budget=self.run.budget(progress), seed=self.run.seed
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
            _note_letters(explanation.target.label)
        if failure is not None:
            raise failure
        explanations[0].stopped.raise_again()

    def _answer(self, detector: Detector, image: OpenedImage, found: list[Detection]) -> None:
        """What is missed, wrong or needed: one answer, in a sentence and a picture."""
        question = question_of(self.asked, detector.labels, found, self.chosen.threshold)
        name = result_name(self._named(), question.key, question.target.label)
        check_writable(self.out, [name])
        problem = self._problem(detector, image, with_rival(question.target, question.rival))
        method = self.run.method()
        planned = partial(planned_failure_passes, problem, budget=self.run.budget())
        failure: VpsError | None = None
        with noted(), self._bar(name, method, planned) as progress:
            try:
                answer = explain_failure(
                    problem,
                    threshold=self.chosen.threshold,
                    method=method,
                    budget=self.run.budget(progress),
                    seed=self.run.seed,
                )
            except IncompleteError as error:
                (answer,), failure = error.partial, error
        self.saved.append(answer.save(self.out / name))
        with noted():
            figure = save_figures(answer, image, self.out / name, self.suffix)
        print(answer.sentence())
        _note_letters(answer.target.label)
        print(f"{answer.passes} passes in {answer.seconds:.1f} s -> {figure}")
        if failure is not None:
            raise failure
        answer.stopped.raise_again()

    def _bar(
        self, title: str, method: Method, planned: Callable[[Method], int]
    ) -> contextlib.AbstractContextManager[ShowProgress]:
        """A bar that tells after the first batch what all will cost."""

        def cost(pass_seconds: float) -> str:
            return str(cost_of(method, planned, pass_seconds))

        return progress_bar(title, planned(method), quiet=self.run.quiet, cost=cost)

    def _named(self) -> Path:
        """The image's path by which its results are named: no other image's of that name."""
        path = self.image.path
        return path.with_name(f"{claim_name(self.out, path)}{path.suffix}")

    def _image_name(self) -> str:
        """What results call the image: with its folder where another is called the same."""
        path = self.image.path
        same = self._named().name == path.name
        return path.name if same else f"{path.resolve().parent.name}/{path.name}"

    def _problem(
        self, detector: Detector, image: OpenedImage, targets: Sequence[Target]
    ) -> Problem:
        settings = self.run.problem()
        # What is found depends on what else it could be called.
        settings["all_prompts"] |= self.asked.why
        return make_problem(detector, image, targets, image_name=self._image_name(), **settings)


def _note_letters(text: str) -> None:
    """Say it where the pictures do not have a text's own letters."""
    if latin := latin_note([text]):
        print(f"note: {latin}", file=sys.stderr)


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

"""`vps explain`: why a detector found this, or missed it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vps.cli.choices import (
    DEMO_DETECTOR,
    FIGURE_FORMATS,
    FILL_NAMES,
    METHOD_NAMES,
    MODE_NAMES,
    REGION_METHOD_NAMES,
)
from vps.cli.inputs import DetectorChoice
from vps.cli.options import (
    HOW,
    BatchSizeOption,
    BudgetOption,
    DetectorOption,
    DetectorSettings,
    DeviceOption,
    DtypeOption,
    EffortOption,
    ImageArgument,
    PromptOption,
    QuietOption,
    RegionsOption,
    SearchOption,
    ThresholdOption,
    TimeLimitOption,
    choice,
)
from vps.cli.output import box_text, check_writable, noted, slug
from vps.cli.settings import (
    RunSettings,
    answer_question,
    check_settings,
    explain_targets,
    show_progress,
)
from vps.errors import VpsError

if TYPE_CHECKING:
    import numpy as np

    from vps.cli.questions import Asked
    from vps.core.detect import Detection
    from vps.core.detector import Detector
    from vps.results.explanation import Explanation

_WHAT = "What to explain: by default, the best detection"
_WHY = "What stands in the way, and what is needed: a sentence and a picture"


def explain_command(
    context: typer.Context,
    image: ImageArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder for the results")],
    detection: Annotated[
        int | None,
        typer.Option(
            "--detection", metavar="K", help="number K of `vps detect`", rich_help_panel=_WHAT
        ),
    ] = None,
    all_found: Annotated[
        bool, typer.Option("--all", help="all detections", rich_help_panel=_WHAT)
    ] = False,
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option("--box", metavar="X1 Y1 X2 Y2", help="a box in pixels", rich_help_panel=_WHAT),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="TEXT",
            help="the label of --box; not needed if there is only one",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    missed: Annotated[
        bool,
        typer.Option(
            "--missed",
            help="what keeps the detector from finding --box, --label",
            rich_help_panel=_WHY,
        ),
    ] = False,
    why_not: Annotated[
        str | None,
        typer.Option(
            "--why-not",
            metavar="LABEL",
            help="why the detection is what it is and not a LABEL, in the same box or in --box",
            rich_help_panel=_WHY,
        ),
    ] = None,
    false_box: Annotated[
        bool,
        typer.Option(
            "--false-box",
            help="what triggers the detection, a box on nothing",
            rich_help_panel=_WHY,
        ),
    ] = False,
    duplicate_of: Annotated[
        int | None,
        typer.Option(
            "--duplicate-of",
            metavar="K",
            help="what adds the detection to detection K",
            rich_help_panel=_WHY,
        ),
    ] = None,
    smallest: Annotated[
        bool,
        typer.Option(
            "--smallest",
            help="the least that brings the detection forth, and the least whose hiding loses it",
            rich_help_panel=_WHY,
        ),
    ] = False,
    detector: DetectorOption = DEMO_DETECTOR,
    prompt: PromptOption = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    option: DetectorSettings = None,
    threshold: ThresholdOption = 0.3,
    method: Annotated[
        str, choice("--method", METHOD_NAMES, "what makes the map; all but vps to compare with: ")
    ] = "vps",
    method_option: Annotated[
        list[str] | None,
        typer.Option(
            "--method-option",
            metavar="NAME=VALUE",
            help="a setting of the method, e.g. masks=500; may be repeated",
            rich_help_panel=HOW,
        ),
    ] = None,
    search: SearchOption = "auto",
    effort: EffortOption = "balanced",
    budget: BudgetOption = None,
    time_limit: TimeLimitOption = None,
    regions: RegionsOption = 64,
    region_method: Annotated[str, choice("--region-method", REGION_METHOD_NAMES, "")] = "slico",
    fill: Annotated[str, choice("--fill", FILL_NAMES, "what hides a region: ")] = "mean",
    mode: Annotated[str, choice("--mode", MODE_NAMES, "what of it is explained: ")] = "object",
    batch_size: BatchSizeOption = 8,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="of a search or method that draws", rich_help_panel=HOW
        ),
    ] = 0,
    all_prompts: Annotated[
        bool,
        typer.Option(
            "--all-prompts",
            help="ask for all labels, also those in prompts that cannot change the score",
            rich_help_panel=HOW,
        ),
    ] = False,
    figure_format: Annotated[
        str, choice("--format", FIGURE_FORMATS, "of pictures: ", panel=None)
    ] = "png",
    quiet: QuietOption = False,
) -> None:
    """Explain what a detector found, or missed.

    Writes a picture, the arrays (.npz) and everything else (.json) of each explanation.
    """
    from vps.cli.questions import Asked, check_asked
    from vps.core.names import choose

    asked = Asked(
        detection, all_found, box, label, missed, why_not, false_box, duplicate_of, smallest
    )
    chosen = DetectorChoice(detector, prompt, device, dtype, option or (), threshold)
    run = RunSettings(
        regions=regions,
        search=search,
        effort=effort,
        batch_size=batch_size,
        budget=budget,
        time_limit=time_limit,
        region_method=region_method,
        fill=fill,
        mode=mode,
        method=method,
        method_options=method_option or (),
        seed=seed,
        all_prompts=all_prompts,
        quiet=quiet,
    )
    check_asked(asked, mode, method)
    check_settings(run)
    chosen.check()
    choose(dict.fromkeys(FIGURE_FORMATS), figure_format, "format")
    check_writable(out)
    _Explaining(image, out, figure_format, chosen, asked, run, context.obj)()


@dataclass(frozen=True)
class _Explaining:
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
        from vps.core.detect import detect

        detector, image = self.chosen.load_with(self.image)
        found = detect(detector, image, self.chosen.threshold)
        if self.asked.why:
            self._answer(detector, image, found)
        else:
            self._explain(detector, image, found)

    def _explain(self, detector: Detector, image: np.ndarray, found: list[Detection]) -> None:
        """A map, and the curves along it, of one or several targets."""
        from vps.cli.questions import targets_of
        from vps.core.regions import make_regions
        from vps.engine.budget import StopReason
        from vps.errors import IncompleteError
        from vps.report.figures.explanation import save_figure

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
        from vps.cli.questions import question_of
        from vps.core.regions import make_regions
        from vps.engine.budget import StopReason
        from vps.errors import IncompleteError
        from vps.report.figures.answer import save_figures

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
    from vps.core.targets import Kind
    from vps.report.figures.panels import regions_shown

    target = explanation.target
    area = explanation.areas[regions_shown(explanation)]
    part = "best part" if target.kind is Kind.MISSED else "sufficient part"
    return (
        f"{target.label} {box_text(target.box)} ({target.kind.value}): {part} {area:.0%} of the "
        f"area, insertion AUC {explanation.insertion_auc:.3f}, deletion AUC "
        f"{explanation.deletion_auc:.3f}, {explanation.passes} passes in "
        f"{explanation.seconds:.1f} s -> {figure}"
    )

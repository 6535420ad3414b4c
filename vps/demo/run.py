"""The demo: scenes on which the demo detector is right, and on which it errs, explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vps.core.detector import OpenVocabularyDetector
from vps.core.regions import make_regions
from vps.demo.cases import SCENES, DemoCase, find_demo_cases
from vps.demo.page import PART, PageCase, write_page
from vps.engine.budget import Budget
from vps.explaining.failure import explain_failure
from vps.report.figures.answer import save_figures
from vps.report.figures.panels import part_shown
from vps.report.progress import ShowProgress
from vps.results.answer import Answer
from vps.results.explanation import Explanation

_PASSES = 4  # for each of the sets, times the number of regions

DemoProgress = Callable[[str], AbstractContextManager[ShowProgress]]
"""From a case's name to a context that gives what `explain_failure` reports to."""


def run_demo(
    detector: OpenVocabularyDetector,
    folder: Path,
    *,
    regions: int,
    settings: Mapping[str, Any],
    budget: Budget,
    progress: DemoProgress,
    saved: list[Path],
) -> Path:
    """Find the cases, explain each, and write pictures, answers and index.html.

    Each answer is written as soon as it is there.

    Args:
        detector: knows the categories of the scenes.
        folder: where everything goes.
        regions: how many to aim for.
        settings: of `vps.explaining.failure.explain_failure`.
        budget: of each answer.
        progress: see `DemoProgress`.
        saved: gets the path of each answer when it is written.

    Returns:
        The path of index.html.

    Raises:
        InputError: the folder cannot be written.
    """
    asked, missing = find_demo_cases(detector)
    cases = []
    for question in asked:
        asking = detector.with_labels(question.labels)
        cut = make_regions(asking.prepare(question.scene.image), regions)
        with progress(question.name) as show:
            answer = explain_failure(
                asking,
                question.scene.image,
                question.target,
                # Who tries the demo waits for it.
                set_passes=_PASSES * cut.count,
                regions=cut,
                budget=dataclasses.replace(budget, progress=show),
                image_name=f"scene {question.scene.layout.index}",
                **settings,
            )
            # Ctrl-C ended this search; to the user it means the whole demo.
            answer.stopped.raise_again()
        saved.append(answer.save(folder / question.name))
        cases.append(_shown(question, answer, folder))
    introduction = (
        f"{detector.name} looks at synthetic scenes in which the right answer is known. Each case "
        "below was found by running it over scenes that it was not trained on, and explained by "
        f"Visual Precision Search with about {regions} regions."
    )
    if missing:
        introduction += f" Not found in {SCENES} scenes: {', '.join(missing)}."
    return write_page(
        folder / "index.html", "What made the detector say that?", introduction, cases
    )


def _shown(question: DemoCase, answer: Answer, folder: Path) -> PageCase:
    """Draw a case; where the detector said something else, the map is of what it said."""
    image = question.scene.image
    Image.fromarray(image).save(folder / f"{question.name}_scene.png")
    second = save_figures(answer, image, folder / question.name, "png")
    explanation, first = answer.explanation, f"{question.name}.png"
    if answer.rival_explanation is not None:
        explanation, first = answer.rival_explanation, f"{question.name}_rival.png"
    text = question.text
    if question.cause is not None:
        share = f"{_held(question.cause, explanation):.0%}"
        text += f" The {PART} shows {share} of it."
    return PageCase(
        question.title,
        question.kind,
        text,
        first,
        explanation,
        second.name,
        answer.sentence(),
        answer.passes,
        answer.seconds,
    )


def _held(cause: np.ndarray, explanation: Explanation) -> float:
    """The share of the pixels of a cause (H, W) bool that `PART` shows."""
    return float(part_shown(explanation, explanation.image_size)[cause].mean())

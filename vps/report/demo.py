"""The demo: scenes on which the demo detector is right, and on which it errs, explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vps.detector import OpenVocabularyDetector
from vps.explain import explain
from vps.regions import Regions, make_regions
from vps.report.demo_cases import SCENES, find_questions
from vps.report.figure import save_figure
from vps.report.html import Case, write_page
from vps.report.panels import part_shown
from vps.report.progress import ShowProgress
from vps.result import Explanation

Progress = Callable[[str, Regions], AbstractContextManager[ShowProgress]]
"""From a case's name and regions to a context that gives what `explain` reports to."""


def run_demo(
    detector: OpenVocabularyDetector,
    folder: Path,
    *,
    regions: int,
    settings: Mapping[str, Any],
    progress: Progress,
    saved: list[Path],
) -> Path:
    """Find the cases, explain each, and write pictures, explanations and index.html.

    Each explanation is written as soon as it is there.

    Args:
        detector: knows the categories of the scenes.
        folder: where everything goes.
        regions: how many to aim for.
        settings: of the search, for `vps.explain.explain`.
        progress: see `Progress`.
        saved: gets the path of each explanation when it is written.

    Returns:
        The path of index.html.

    Raises:
        InputError: the folder cannot be written.
    """
    asked, missing = find_questions(detector)
    cases = []
    for question in asked:
        asking = detector.with_labels(question.labels)
        cut = make_regions(asking.prepare(question.scene.image), regions)
        with progress(question.name, cut) as show:
            explanation = explain(
                asking,
                question.scene.image,
                question.target,
                regions=cut,
                progress=show,
                image_name=f"scene {question.scene.layout.index}",
                **settings,
            )
            # Ctrl-C ended this search; to the user it means the whole demo.
            if explanation.stopped == "interrupted":
                raise KeyboardInterrupt
        saved.append(explanation.save(folder / question.name))
        Image.fromarray(question.scene.image).save(folder / f"{question.name}_scene.png")
        figure = save_figure(explanation, question.scene.image, folder / f"{question.name}.png")
        text = question.text
        if question.cause is not None:
            text += f" The sufficient part shows {_held(question.cause, explanation):.0%} of it."
        cases.append(Case(question.title, question.kind, text, figure.name, explanation))
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


def _held(cause: np.ndarray, explanation: Explanation) -> float:
    """The share of the pixels of a cause (H, W) bool that the sufficient part shows."""
    return float(part_shown(explanation, explanation.image_size)[cause].mean())

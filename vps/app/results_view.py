"""The part of the page that shows results: maps, curves, a slider along the order, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from vps.app import views
from vps.app.asking import Answered
from vps.app.parts import Changes
from vps.results.explanation import Explanation

Named = Sequence[tuple[str, Explanation]]


@dataclass(frozen=True, eq=False)
class ResultParts:
    """The components, and what they show."""

    answers: Any
    maps: Any
    curves: Any
    side: Any
    step: Any
    at_step: Any
    picture: Any
    archive: Any
    shell: Any
    python: Any

    @property
    def all(self) -> list[Any]:
        """All of them, as the outputs of what fills them."""
        return [*vars(self).values()]

    def empty(self) -> Changes:
        """Nothing to show."""
        return {
            self.answers: "",
            self.maps: "",
            self.curves: "",
            self.side: gr.Radio(interactive=False),
            self.step: gr.Slider(interactive=False),
            self.at_step: "",
            self.picture: gr.DownloadButton(interactive=False),
            self.archive: gr.DownloadButton(interactive=False),
            self.shell: "",
            self.python: "",
        }

    def growing(self, explanations: Named, pixels: np.ndarray) -> Changes:
        """What is known so far."""
        return {
            self.maps: views.maps(explanations, pixels),
            self.curves: views.curves(explanations),
        }

    def complete(self, answered: list[Answered], pixels: np.ndarray) -> Changes:
        """The results."""
        shown = [
            (one.how.method, one.explanation) for one in answered if one.explanation is not None
        ]
        changes: Changes = {self.answers: views.answers(answered, pixels)}
        return changes | (self.explained(shown, pixels) if shown else {})

    def explained(self, shown: Named, pixels: np.ndarray) -> Changes:
        """Maps and curves, and the slider at the part that suffices."""
        first = shown[0][1]
        start = first.smallest_sufficient() if first.insertion[-1] > 0 else 1
        start = min(max(start, 1), len(first.order))
        return {
            self.maps: views.maps(shown, pixels),
            self.curves: views.curves(shown, start),
            self.side: gr.Radio(interactive=True, value="shown"),
            self.step: gr.Slider(0, len(first.order), start, step=1, interactive=True),
            self.at_step: views.at_step(shown, pixels, start, "shown"),
        }

    def files(self, picture: Path, archive: Path, shell: str, python: str) -> Changes:
        """What can be taken home."""
        return {
            self.picture: gr.DownloadButton(value=str(picture), interactive=True),
            self.archive: gr.DownloadButton(value=str(archive), interactive=True),
            self.shell: shell,
            self.python: python,
        }

    def wire(self, known: Callable[[gr.Request], tuple[Named, Any]], fast: dict[str, Any]) -> None:
        """Let the slider move along the order; no pass is made for it.

        Args:
            known: a visitor's explanations and image.
            fast: settings of what answers at once.
        """

        def slide(step: int, side: str, request: gr.Request) -> Changes:
            shown, pixels = known(request)
            if not shown or side not in ("shown", "hidden"):
                return {}
            return {
                self.curves: views.curves(shown, int(step)),
                self.at_step: views.at_step(shown, pixels, int(step), side),  # type: ignore[arg-type]
            }

        outputs = [self.curves, self.at_step]
        settings = {**fast, "trigger_mode": "always_last"}
        self.step.input(slide, [self.step, self.side], outputs, **settings)
        self.side.input(slide, [self.step, self.side], outputs, **settings)


def result_parts() -> ResultParts:
    """The components, where they are made.

    What is of no use yet is not hidden but cannot be used: the page stays as it is laid out.
    """
    answers = gr.HTML(elem_id="answers", elem_classes="vps-answers")
    with gr.Row():
        with gr.Column(min_width=230):
            maps = gr.HTML(elem_id="maps")
        with gr.Column(min_width=230):
            at_step = gr.HTML(elem_id="at-step")
    with gr.Row():
        step = gr.Slider(
            0,
            1,
            0,
            step=1,
            label="The first regions of the order",
            interactive=False,
            scale=3,
            min_width=280,
            elem_id="step",
        )
        side = gr.Radio(
            ["shown", "hidden"],
            value="shown",
            label="are",
            interactive=False,
            scale=1,
            min_width=150,
            elem_id="side",
        )
    curves = gr.HTML(elem_id="curves")
    with gr.Row():
        picture = gr.DownloadButton("Picture (.png)", interactive=False, size="sm")
        archive = gr.DownloadButton("Data (.npz, .json)", interactive=False, size="sm")
    with gr.Accordion("The same without this page", open=False):
        shell, python = _lines("Command line", "shell"), _lines("Python", "python")
    return ResultParts(answers, maps, curves, side, step, at_step, picture, archive, shell, python)


def _lines(label: str, name: str) -> Any:
    return gr.Textbox(
        label=label,
        lines=1,
        max_lines=12,
        buttons=["copy"],
        elem_classes="vps-small",
        elem_id=name,
        interactive=False,
    )

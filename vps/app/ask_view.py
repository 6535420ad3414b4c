"""The part of the page where a visitor chooses and asks."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vps.app import views
from vps.app.detector import DetectorChoices
from vps.app.parts import heading_part, viewer_part
from vps.methods import METHODS
from vps.search.settings import EFFORTS

NOTHING = "nothing"
"""What stands where no second method is chosen."""


class AskParts:
    """The components, made where the page is.

    Args:
        choices: of detectors.
        images: their names in the list.
    """

    def __init__(self, choices: DetectorChoices, images: tuple[str, ...]) -> None:
        with gr.Column(scale=5, min_width=320, elem_id="left"):
            self._choose_parts(choices, images)
            self.viewer = viewer_part()
            self.hint = gr.HTML(views.note(""), elem_id="hint")
            self.status = gr.HTML(elem_id="status")
            self.stop = gr.Button("Stop", interactive=False, elem_id="stop", size="sm")
            with gr.Column(elem_id="asks"):
                self._question_parts()

    @property
    def changing(self) -> list[Any]:
        """What looking and asking change."""
        return [
            self.viewer,
            self.hint,
            self.status,
            self.stop,
            self.words,
            self.label,
            self.missed_label,
            self.drawing,
            self.cost,
        ]

    @property
    def look_inputs(self) -> list[Any]:
        """Detector, prompt and threshold."""
        return [self.detector, self.prompt, self.threshold]

    @property
    def how_inputs(self) -> list[Any]:
        """Two methods, effort and regions."""
        return [self.method, self.other, self.effort, self.regions]

    def _choose_parts(self, choices: DetectorChoices, images: tuple[str, ...]) -> None:
        first = choices.prompt_of(choices.names[0])
        with gr.Row():
            self.image = gr.Dropdown(list(images), label="Image", value=images[0], scale=3)
            self.upload = gr.UploadButton(
                "Upload", file_types=["image"], scale=1, min_width=90, elem_classes="vps-go"
            )
        self.detector = gr.Dropdown(
            list(choices.names),
            value=choices.names[0],
            label="Detector",
            visible=len(choices.names) > 1,
        )
        with gr.Row():
            self.prompt = gr.Textbox(
                first,
                label="What to look for, each followed by a dot",
                max_lines=3,
                scale=3,
                visible=first is not None,
            )
            self.look = gr.Button(
                "Detect", variant="primary", scale=1, min_width=90, elem_classes="vps-go"
            )

    def _question_parts(self) -> None:
        heading_part("Ask more about the box that was clicked")
        with gr.Row():
            self.smallest = gr.Button("Smallest part?", min_width=110, size="sm")
            self.false_box = gr.Button("Why a false box?", min_width=110, size="sm")
            self.words = gr.Button("Which words?", min_width=110, size="sm")
        with gr.Row(equal_height=True):
            self.label = gr.Dropdown([], label="Another label", scale=2, min_width=140)
            self.why_not = gr.Button("Why not this label?", min_width=110, size="sm")
        heading_part("Ask about what was missed: draw its box, and choose its label")
        with gr.Row(equal_height=True):
            self.drawing = gr.Checkbox(False, label="Draw", scale=1, min_width=80)
            self.missed_label = gr.Dropdown([], label="Its label", scale=2, min_width=120)
            self.missed = gr.Button("Why was it missed?", min_width=110, size="sm")
        with gr.Accordion("Settings", open=False):
            self.threshold = gr.Slider(0.05, 0.95, 0.3, step=0.05, label="Lowest score shown")
            with gr.Row():
                self.method = gr.Dropdown(list(METHODS), value="vps", label="Method")
                self.other = gr.Dropdown(
                    [NOTHING, *METHODS], value=NOTHING, label="Side by side with"
                )
            with gr.Row():
                self.effort = gr.Radio(list(EFFORTS), value="balanced", label="Effort (of vps)")
                self.regions = gr.Slider(9, 196, 36, step=1, label="Regions, about")
        self.cost = gr.HTML(elem_id="cost")

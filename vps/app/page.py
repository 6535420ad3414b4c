"""The page: its parts, and what happens when one of them is used."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import gradio as gr

from vps.app import views
from vps.app.asking import MOST_PAGE_REGIONS, Heard, How, Question, Why, cost_beforehand
from vps.app.detector import DetectorChoices
from vps.app.parts import BLOCKS, FAST, SLOW, Changes, heading_part, title_part, viewer_part
from vps.app.recipes import command_line, python_lines
from vps.app.results_view import ResultParts, result_parts
from vps.app.turns import Turn
from vps.app.visits import Visit
from vps.app.workbench import Choose, Workbench, told
from vps.errors import InputError, VpsError
from vps.methods import METHODS
from vps.search.settings import EFFORTS

_OFTEN = 0.4  # seconds between two pictures while a search runs
_NONE = "nothing"
_ABOUT = (
    "Click a box. Parts of the image are shown and hidden until it is clear which of them made the "
    "detector put the box there, with that label."
)


class Page:
    """The page for asking.

    Args:
        bench: what does the work.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        choices = bench.held.choices
        with gr.Blocks(**BLOCKS) as self.demo:
            title_part("What did the detector go by?", _ABOUT)
            with gr.Row():
                with gr.Column(scale=5, min_width=320, elem_id="left"):
                    self._choose_parts(choices, bench.source.names)
                    self._viewer = viewer_part()
                    self._hint = gr.HTML(views.note(""), elem_id="hint")
                    self._status = gr.HTML(elem_id="status")
                    self._stop = gr.Button("Stop", interactive=False, elem_id="stop", size="sm")
                    with gr.Column(elem_id="asks"):
                        self._ask_parts()
                with gr.Column(scale=6, min_width=320, elem_id="right"):
                    self._parts: ResultParts = result_parts()
            self._wire()

    def _choose_parts(self, choices: DetectorChoices, images: tuple[str, ...]) -> None:
        first = choices.prompt_of(choices.names[0])
        with gr.Row():
            self._image = gr.Dropdown(list(images), label="Image", value=images[0], scale=3)
            self._upload = gr.UploadButton(
                "Upload", file_types=["image"], scale=1, min_width=90, elem_classes="vps-go"
            )
        self._detector = gr.Dropdown(
            list(choices.names),
            value=choices.names[0],
            label="Detector",
            visible=len(choices.names) > 1,
        )
        with gr.Row():
            self._prompt = gr.Textbox(
                first,
                label="What to look for, each followed by a dot",
                max_lines=3,
                scale=3,
                visible=first is not None,
            )
            self._look = gr.Button(
                "Detect", variant="primary", scale=1, min_width=90, elem_classes="vps-go"
            )

    def _ask_parts(self) -> None:
        heading_part("Ask more about the box that was clicked")
        with gr.Row():
            self._smallest = gr.Button("Smallest part?", min_width=110, size="sm")
            self._false_box = gr.Button("Why a false box?", min_width=110, size="sm")
            self._words = gr.Button("Which words?", min_width=110, size="sm")
        with gr.Row(equal_height=True):
            self._label = gr.Dropdown([], label="Another label", scale=2, min_width=140)
            self._why_not = gr.Button("Why not this label?", min_width=110, size="sm")
        heading_part("Ask about what was missed: draw its box, and choose its label")
        with gr.Row(equal_height=True):
            self._drawing = gr.Checkbox(False, label="Draw", scale=1, min_width=80)
            self._missed_label = gr.Dropdown([], label="Its label", scale=2, min_width=120)
            self._missed = gr.Button("Why was it missed?", min_width=110, size="sm")
        with gr.Accordion("Settings", open=False):
            self._threshold = gr.Slider(0.05, 0.95, 0.3, step=0.05, label="Lowest score shown")
            with gr.Row():
                self._method = gr.Dropdown(list(METHODS), value="vps", label="Method")
                self._other = gr.Dropdown([_NONE, *METHODS], value=_NONE, label="Side by side with")
            with gr.Row():
                self._effort = gr.Radio(list(EFFORTS), value="balanced", label="Effort (of vps)")
                self._regions = gr.Slider(
                    9, min(196, MOST_PAGE_REGIONS), 36, step=1, label="Regions, about"
                )
        self._cost = gr.HTML(elem_id="cost")

    def _wire(self) -> None:
        """Which use of which part does what."""
        labels = [self._label, self._missed_label]
        shown = [
            self._viewer,
            self._hint,
            *labels,
            self._words,
            self._cost,
            self._status,
            self._drawing,
        ]
        look_in = [self._detector, self._prompt, self._threshold]
        looks = {"outputs": [*shown, self._stop, *self._parts.all], **SLOW}
        self._image.input(self._look_listed, [self._image, *look_in], **looks)
        self._upload.upload(self._look_sent, [self._upload, *look_in], **looks)
        self.demo.load(self._look_listed, [self._image, *look_in], **looks)
        self._look.click(self._look_again, look_in, **looks)
        self._prompt.submit(self._look_again, look_in, **looks)
        self._detector.input(self._other_detector, self._detector, self._prompt, **FAST)
        how_in = [self._method, self._other, self._effort, self._regions]
        asks = {"outputs": [*shown, self._stop, *self._parts.all], **SLOW}
        self._viewer.choose(self._ask_map, how_in, **asks)
        for button, why in (
            (self._smallest, Why.SMALLEST),
            (self._false_box, Why.FALSE_BOX),
            (self._words, Why.WORDS),
            (self._why_not, Why.WHY_NOT),
            (self._missed, Why.MISSED),
        ):
            label = self._missed_label if why is Why.MISSED else self._label
            button.click(self._asker(why), [label, *how_in], **asks)
        self._viewer.drawn(self._drawn, None, [self._viewer, self._hint], **FAST)
        self._drawing.input(self._draw, self._drawing, [self._viewer, self._hint], **FAST)
        self._stop.click(self._end, None, self._stop, **FAST)
        for part in (self._method, self._effort, self._regions):
            part.change(
                self._tell_cost, [self._method, self._effort, self._regions], self._cost, **FAST
            )
        self._parts.wire(self._explanations, FAST)
        self.demo.unload(self._leave)

    # Looking at an image

    def _look_listed(
        self, name: str, detector: str, prompt: str, threshold: float, request: gr.Request
    ) -> Iterator[Changes]:
        yield from self._looking(request, self._bench.listed(name), detector, prompt, threshold)

    def _look_sent(
        self, path: str, detector: str, prompt: str, threshold: float, request: gr.Request
    ) -> Iterator[Changes]:
        yield from self._looking(request, self._bench.sent(path), detector, prompt, threshold)

    def _look_again(
        self, detector: str, prompt: str, threshold: float, request: gr.Request
    ) -> Iterator[Changes]:
        chosen = self._visit(request).chosen
        if chosen is None:
            yield {self._hint: views.problem("choose an image first")}
            return
        yield from self._looking(request, lambda _: chosen, detector, prompt, threshold)

    def _looking(
        self, request: gr.Request, choose: Choose, detector: str, prompt: str, threshold: float
    ) -> Iterator[Changes]:
        visit = self._visit(request)
        asked = prompt if self._bench.held.choices.prompt_of(detector) is not None else None
        try:
            turn = self._bench.look(visit, choose, detector, asked, threshold)
        except InputError as error:
            yield {self._hint: views.problem(told(error))}
            return
        for _ in self._follow(visit, turn):
            yield {self._hint: self._waiting(turn) or views.note("Looking ...")}
        if visit.turn is not turn:
            return
        if turn.error is not None:
            yield {self._hint: views.problem(_told(turn.error)), self._stop: _idle()}
            return
        found = len(visit.found)
        text = f"{found} found: click one." if found else "Nothing found with that score."
        yield {
            **self._parts.empty(),
            self._viewer: self._view(visit),
            self._hint: views.note(text),
            self._label: gr.Dropdown(list(visit.labels), value=None),
            self._missed_label: gr.Dropdown(list(visit.labels), value=visit.labels[0]),
            self._drawing: False,
            self._words: gr.Button(visible=visit.words),
            self._cost: self._cost_text(visit, How()),
            self._status: "",
            self._stop: _idle(),
        }

    # Asking

    def _ask_map(
        self,
        method: str,
        other: str,
        effort: str,
        regions: int,
        request: gr.Request,
        event: gr.EventData,
    ) -> Iterator[Changes]:
        visit = self._visit(request)
        visit.number = int(event.index)
        yield from self._asking(visit, Why.MAP, None, method, other, effort, regions)

    def _asker(self, why: Why) -> Any:
        def ask(
            label: str | None,
            method: str,
            other: str,
            effort: str,
            regions: int,
            request: gr.Request,
        ) -> Iterator[Changes]:
            visit = self._visit(request)
            yield from self._asking(visit, why, label, method, other, effort, regions)

        return ask

    def _asking(
        self,
        visit: Visit,
        why: Why,
        label: str | None,
        method: str,
        other: str,
        effort: str,
        regions: int,
    ) -> Iterator[Changes]:
        try:
            names = [method] if other in (_NONE, method) or why is Why.WORDS else [method, other]
            hows = [How(name, effort, int(regions)) for name in names]
            box = visit.drawn if why is Why.MISSED else None
            number = None if why is Why.MISSED else visit.number
            question = Question(why, number, box, label)
            turn = self._bench.ask(visit, question, hows)
        except InputError as error:
            yield {self._status: views.problem(told(error))}
            return
        visit.drawing = False
        yield {
            **self._parts.empty(),
            self._viewer: self._view(visit),
            self._drawing: False,
            self._status: views.note("Beginning ..."),
            self._stop: gr.Button(interactive=True),
        }
        for heard in self._follow(visit, turn):
            yield self._progress(visit, turn, heard, names)
        if visit.turn is turn:
            yield self._finished(visit, turn)
            yield self._to_take_home(visit)

    def _progress(self, visit: Visit, turn: Turn, heard: Heard | None, names: list[str]) -> Changes:
        name = names[min(len(visit.answered), len(names) - 1)] if len(names) > 1 else ""
        status = self._waiting(turn) or views.running(heard, turn.seconds, name)
        changes: Changes = {self._status: status}
        if heard is not None and heard.so_far is not None and visit.pixels is not None:
            now = [*visit.explanations, (heard.so_far.method, heard.so_far)]
            changes |= self._parts.growing(now, visit.pixels)
        return changes

    def _finished(self, visit: Visit, turn: Turn) -> Changes:
        changes: Changes = {self._stop: _idle(), self._status: ""}
        if turn.error is not None:
            changes[self._status] = views.problem(_told(turn.error))
        if not visit.answered or visit.pixels is None:
            return changes
        if turn.cancelled():
            changes[self._status] = views.note("Stopped: this is what was known until then.")
        changes[self._cost] = self._cost_text(visit, visit.answered[0].how)
        return changes | self._parts.complete(visit.answered, visit.pixels)

    def _to_take_home(self, visit: Visit) -> Changes:
        """Files and lines of the results; drawing them takes a moment, so they come last."""
        if not visit.answered:
            return {}
        try:
            picture, archive = self._bench.files(visit)
        except VpsError as error:
            return {self._status: views.problem(told(error))}
        asked, first = self._bench.asked(visit), visit.answered[0]
        words = first.question.why is Why.WORDS
        shell = "" if words else command_line(asked, first)
        return self._parts.files(picture, archive, shell, python_lines(asked, first))

    # Small things

    def _drawn(self, request: gr.Request, event: gr.EventData) -> Changes:
        visit = self._visit(request)
        x1, y1, x2, y2 = (float(side) for side in event.box)
        visit.drawn = (x1, y1, x2, y2)
        text = "Choose its label and ask why it was missed; or draw it anew."
        return {self._viewer: self._view(visit), self._hint: views.note(text)}

    def _draw(self, drawing: bool, request: gr.Request) -> Changes:
        visit = self._visit(request)
        visit.drawing = bool(drawing) and visit.image is not None
        text = "Draw a box around what was missed." if visit.drawing else ""
        return {self._viewer: self._view(visit), self._hint: views.note(text)}

    def _end(self, request: gr.Request) -> Changes:
        self._visit(request).stop()
        return {self._stop: _idle()}

    def _other_detector(self, name: str) -> Any:
        prompt = self._bench.held.choices.prompt_of(name)
        return gr.Textbox(value=prompt, visible=prompt is not None)

    def _tell_cost(self, method: str, effort: str, regions: int, request: gr.Request) -> str:
        try:
            return self._cost_text(self._visit(request), How(method, effort, int(regions)))
        except InputError as error:
            return views.problem(told(error))

    def _cost_text(self, visit: Visit, how: How) -> str:
        if not visit.pass_seconds:
            return ""
        return views.note(f"A map takes {cost_beforehand(how, Why.MAP, visit.pass_seconds)}.")

    def _explanations(self, request: gr.Request) -> tuple[Any, Any]:
        visit = self._visit(request)
        return visit.explanations, visit.pixels

    def _leave(self, request: gr.Request) -> None:
        self._bench.visits.leave(request.session_hash)

    def _visit(self, request: gr.Request) -> Visit:
        return self._bench.visits.of(request.session_hash)

    def _view(self, visit: Visit) -> Changes:
        if visit.image is None:
            return {}
        return views.viewer(
            visit.source,
            visit.image.size,
            visit.found,
            chosen=visit.number,
            drawn=visit.drawn,
            drawing=visit.drawing,
        )

    @staticmethod
    def _waiting(turn: Turn) -> str:
        return views.waiting(turn.ahead) if turn.ahead else ""

    @staticmethod
    def _follow(visit: Visit, turn: Turn) -> Iterator[Heard | None]:
        """What a computation tells until its end, not too often; it ends if nobody listens."""
        version = -1
        try:
            while not turn.done and visit.turn is turn:
                turn.wait(version, _OFTEN)
                version = turn.version
                yield turn.latest
                turn.wait(1 << 62, _OFTEN)  # the end, or a while
        except GeneratorExit:
            turn.cancel()
            raise


def _idle() -> Any:
    """There is nothing to stop."""
    return gr.Button(interactive=False)


def _told(error: BaseException) -> str:
    if not isinstance(error, VpsError):
        traceback.print_exception(error, file=sys.stderr)
    return told(error)

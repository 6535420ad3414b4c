"""The page: its parts, and what happens when one of them is used."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import gradio as gr

from vps.app import views
from vps.app.ask_view import NOTHING, AskParts
from vps.app.asking import Heard, How, Question, Why, cost_beforehand
from vps.app.parts import BLOCKS, FAST, SLOW, Changes, title_part
from vps.app.recipes import command_line, python_lines
from vps.app.results_view import ResultParts, result_parts
from vps.app.turns import Turn
from vps.app.visits import Visit
from vps.app.workbench import Choose, Workbench, told
from vps.errors import InputError, VpsError

_OFTEN = 0.4  # seconds between two pictures while a search runs
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
                self._ask = AskParts(choices, bench.source.names)
                with gr.Column(scale=6, min_width=320, elem_id="right"):
                    self._parts: ResultParts = result_parts()
            self._wire()

    def _wire(self) -> None:
        """Which use of which part does what."""
        ask = self._ask
        look_in, how_in = ask.look_inputs, ask.how_inputs
        work = {"outputs": [*ask.changing, *self._parts.all], **SLOW}
        ask.image.input(self._look_listed, [ask.image, *look_in], **work)
        ask.upload.upload(self._look_sent, [ask.upload, *look_in], **work)
        self.demo.load(self._look_listed, [ask.image, *look_in], **work)
        ask.look.click(self._look_again, look_in, **work)
        ask.prompt.submit(self._look_again, look_in, **work)
        ask.detector.input(self._other_detector, ask.detector, ask.prompt, **FAST)
        ask.viewer.choose(self._ask_map, how_in, **work)
        for button, why in (
            (ask.smallest, Why.SMALLEST),
            (ask.false_box, Why.FALSE_BOX),
            (ask.words, Why.WORDS),
            (ask.why_not, Why.WHY_NOT),
            (ask.missed, Why.MISSED),
        ):
            label = ask.missed_label if why is Why.MISSED else ask.label
            button.click(self._asker(why), [label, *how_in], **work)
        ask.viewer.drawn(self._drawn, None, [ask.viewer, ask.hint], **FAST)
        ask.drawing.input(self._draw, ask.drawing, [ask.viewer, ask.hint], **FAST)
        ask.stop.click(self._end, None, ask.stop, **FAST)
        for part in (ask.method, ask.effort, ask.regions):
            part.change(self._tell_cost, [ask.method, ask.effort, ask.regions], ask.cost, **FAST)
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
            yield {self._ask.hint: views.problem("choose an image first")}
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
            yield {self._ask.hint: views.problem(told(error))}
            return
        for _ in self._follow(visit, turn):
            yield {self._ask.hint: self._waiting(turn) or views.note("Looking ...")}
        if visit.turn is not turn:
            return
        if turn.error is not None:
            yield {self._ask.hint: views.problem(_told(turn.error)), self._ask.stop: _idle()}
            return
        found = len(visit.found)
        text = f"{found} found: click one." if found else "Nothing found with that score."
        yield {
            **self._parts.empty(),
            self._ask.viewer: self._view(visit),
            self._ask.hint: views.note(text),
            self._ask.label: gr.Dropdown(list(visit.labels), value=None),
            self._ask.missed_label: gr.Dropdown(list(visit.labels), value=visit.labels[0]),
            self._ask.drawing: False,
            self._ask.words: gr.Button(visible=visit.words),
            self._ask.cost: self._cost_text(visit, How()),
            self._ask.status: "",
            self._ask.stop: _idle(),
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
            names = [method] if other in (NOTHING, method) or why is Why.WORDS else [method, other]
            hows = [How(name, effort, int(regions)) for name in names]
            box = visit.drawn if why is Why.MISSED else None
            number = None if why is Why.MISSED else visit.number
            question = Question(why, number, box, label)
            turn = self._bench.ask(visit, question, hows)
        except InputError as error:
            yield {self._ask.status: views.problem(told(error))}
            return
        visit.drawing = False
        yield {
            **self._parts.empty(),
            self._ask.viewer: self._view(visit),
            self._ask.drawing: False,
            self._ask.status: views.note("Beginning ..."),
            self._ask.stop: gr.Button(interactive=True),
        }
        for heard in self._follow(visit, turn):
            yield self._progress(visit, turn, heard, names)
        if visit.turn is turn:
            yield self._finished(visit, turn)
            yield self._to_take_home(visit)

    def _progress(self, visit: Visit, turn: Turn, heard: Heard | None, names: list[str]) -> Changes:
        name = names[min(len(visit.answered), len(names) - 1)] if len(names) > 1 else ""
        status = self._waiting(turn) or views.running(heard, turn.seconds, name)
        changes: Changes = {self._ask.status: status}
        if heard is not None and heard.so_far is not None and visit.pixels is not None:
            now = [*visit.explanations, (heard.so_far.method, heard.so_far)]
            changes |= self._parts.growing(now, visit.pixels)
        return changes

    def _finished(self, visit: Visit, turn: Turn) -> Changes:
        changes: Changes = {self._ask.stop: _idle(), self._ask.status: ""}
        if turn.error is not None:
            changes[self._ask.status] = views.problem(_told(turn.error))
        if not visit.answered or visit.pixels is None:
            return changes
        if turn.cancelled():
            changes[self._ask.status] = views.note("Stopped: this is what was known until then.")
        changes[self._ask.cost] = self._cost_text(visit, visit.answered[0].how)
        return changes | self._parts.complete(visit.answered, visit.pixels)

    def _to_take_home(self, visit: Visit) -> Changes:
        """Files and lines of the results; drawing them takes a moment, so they come last."""
        if not visit.answered:
            return {}
        try:
            picture, archive = self._bench.files(visit)
        except VpsError as error:
            return {self._ask.status: views.problem(told(error))}
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
        return {self._ask.viewer: self._view(visit), self._ask.hint: views.note(text)}

    def _draw(self, drawing: bool, request: gr.Request) -> Changes:
        visit = self._visit(request)
        visit.drawing = bool(drawing) and visit.image is not None
        text = "Draw a box around what was missed." if visit.drawing else ""
        return {self._ask.viewer: self._view(visit), self._ask.hint: views.note(text)}

    def _end(self, request: gr.Request) -> Changes:
        self._visit(request).stop()
        return {self._ask.stop: _idle()}

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

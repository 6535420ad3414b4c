"""The page of a finished study: its cases, with the same views of their results."""

from __future__ import annotations

import html
import itertools
from typing import Any

import gradio as gr

from vps.app import views
from vps.app.parts import BLOCKS, FAST, Changes, title_part, viewer_part
from vps.app.pictures import address, page_pixels
from vps.app.results_view import result_parts
from vps.app.visits import Visits
from vps.core.detect import Detection
from vps.core.pictures import paper
from vps.errors import InputError, one_line
from vps.results.explanation import Explanation
from vps.study.finished import FinishedStudy

_NONE = "nothing"
_MOST = 5000  # cases that the list holds


class StudyPage:
    """Cases to choose, and the results of one method or two.

    Args:
        study: what is shown.

    Raises:
        InputError: a study without results.
    """

    def __init__(self, study: FinishedStudy) -> None:
        self._study, self._visits = study, Visits()
        self._tasks = {str(task): task for task in itertools.islice(study.tasks(), _MOST)}
        if not self._tasks:
            raise InputError(f"{study.config.out} holds no results to show")
        kinds = sorted({task.case.kind.value for task in self._tasks.values()})
        methods = study.methods
        with gr.Blocks(**BLOCKS) as self.demo:
            title_part(study.config.name, "Each case, and what methods made of it.")
            with gr.Row():
                with gr.Column(scale=5, min_width=320):
                    self._kind = gr.Dropdown(["all", *kinds], value="all", label="Kind")
                    self._case = gr.Dropdown(list(self._tasks), label="Case")
                    with gr.Row():
                        self._method = gr.Dropdown(list(methods), value=methods[0], label="Method")
                        self._other = gr.Dropdown(
                            [_NONE, *methods],
                            value=methods[1] if len(methods) > 1 else _NONE,
                            label="Side by side with",
                        )
                    self._viewer = viewer_part()
                    self._about = gr.HTML(elem_id="about")
                    self._status = gr.HTML(elem_id="status")
                with gr.Column(scale=6, min_width=320):
                    self._parts = result_parts()
            chosen = [self._case, self._method, self._other]
            outputs = [self._viewer, self._about, self._status, *self._parts.all]
            for part in chosen:
                part.change(self._show, chosen, outputs, **FAST)
            self.demo.load(self._show, chosen, outputs, **FAST)
            self._kind.input(self._filter, self._kind, self._case, **FAST)
            self._parts.wire(self._known, FAST)
            self.demo.unload(self._leave)

    def _filter(self, kind: str) -> Any:
        names = [
            name for name, task in self._tasks.items() if kind in ("all", task.case.kind.value)
        ]
        return gr.Dropdown(names, value=names[0] if names else None)

    def _show(self, name: str, method: str, other: str, request: gr.Request) -> Changes:
        if name not in self._tasks:
            return {self._status: views.problem("there is no such case in the list")}
        task, visit = self._tasks[name], self._visits.of(request.session_hash)
        wanted = [method] if other in (_NONE, method) else [method, other]
        shown: list[tuple[str, Explanation]] = []
        lacking = []
        try:
            for one in wanted:
                found = self._study.explanation(task, one) if one in self._study.methods else None
                if found is None:
                    lacking.append(one)
                else:
                    shown.append((one, found))
        except InputError as error:
            return {self._status: views.problem(one_line(error))}
        status = views.note(f"No result of {', '.join(lacking)}.") if lacking else ""
        if not shown:
            return {**self._parts.empty(), self._status: status}
        first = shown[0][1]
        image = first.image or paper(first.image_size)
        visit.stored, visit.pixels = shown, page_pixels(image.pixels)
        target = first.target
        boxes = [Detection(target.box, target.label, float(first.deletion_class[0]))]
        about = f"{task.case.kind.value}; {first.detector}"
        if target.predicted_label is not None:
            about += f"; the detector said {target.predicted_label}"
        doubts = "".join(
            f'<p class="vps-doubt">{html.escape(f"{one}: {text}")}</p>'
            for one, found in shown
            for text in found.warnings
        )
        return {
            self._viewer: views.viewer(
                address(visit.pixels), first.image_size, boxes, drawn=target.predicted_box
            ),
            self._about: views.note(about),
            self._status: status,
            self._parts.answers: doubts,
            **self._parts.explained(shown, visit.pixels),
        }

    def _known(self, request: gr.Request) -> tuple[Any, Any]:
        visit = self._visits.of(request.session_hash)
        return visit.explanations, visit.pixels

    def _leave(self, request: gr.Request) -> None:
        self._visits.leave(request.session_hash)

"""What the page shows, as HTML: progress, maps, curves, a step of the order, sentences."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from vps.app.asking import Answered, Heard
from vps.app.pictures import address, hidden_picture, map_picture, step_picture
from vps.core.detect import Detection
from vps.core.targets import Box
from vps.report.figures.panels import BLUE, VERMILLION
from vps.report.figures.steps import ShownOrHidden
from vps.results.answer import Answer
from vps.results.explanation import Explanation
from vps.results.sentences import as_percent
from vps.results.word_answer import WordAnswer

_WIDE, _HIGH = 320, 170  # of the curves, in their own units
_LEFT, _TOP, _RIGHT, _BOTTOM = 34, 8, 8, 26


def viewer(
    picture: str,
    size: tuple[int, int],
    found: Sequence[Detection],
    *,
    chosen: int | None = None,
    drawn: Box | None = None,
    drawing: bool = False,
) -> dict[str, Any]:
    """What `viewer.js` draws: an image of size (H, W) with boxes to click, or to draw one on."""
    height, width = size
    return {
        "source": picture,
        "width": width,
        "height": height,
        "boxes": [
            {"box": list(one.box), "label": one.label, "score": round(one.score, 3)}
            for one in found
        ],
        "chosen": chosen,
        "drawn": None if drawn is None else list(drawn),
        "drawing": drawing,
    }


def waiting(ahead: int) -> str:
    """Where in the line a visitor stands."""
    others = "1 computation" if ahead == 1 else f"{ahead} computations"
    return _status(f"Waiting: {others} of others come first.")


def running(heard: Heard | None, seconds: float, name: str = "") -> str:
    """How far a question is."""
    lead = f"{html.escape(name)}: " if name else ""
    if heard is None or not heard.progress.passes:
        return _status(f"{lead}Looking at the image ...")
    done, planned = heard.progress.passes, max(heard.planned, heard.progress.passes)
    left = seconds * (planned - done) / done
    text = f"{lead}{done:,} of at most {planned:,} passes, {seconds:.0f} s"
    text += f", at most {left:.0f} s left" if left >= 1 else ""
    return (
        f'<div class="vps-status"><progress max="{planned}" value="{done}"></progress>'
        f"<span>{text}</span></div>"
    )


def problem(message: str) -> str:
    """What went wrong, in words."""
    return f'<div class="vps-status vps-error" role="alert">{html.escape(message)}</div>'


def note(message: str) -> str:
    """What a visitor should know."""
    return _status(html.escape(message))


def maps(explanations: Sequence[tuple[str, Explanation]], pixels: np.ndarray) -> str:
    """The maps of one or two methods, side by side."""
    figures = [
        _figure(address(map_picture(one, pixels)), f"Attribution map, {name}", _about(name, one))
        for name, one in explanations
    ]
    scale = '<div class="vps-scale" aria-hidden="true"><span>0</span><i></i><span>1</span></div>'
    told = any(one.levels is not None for _, one in explanations)
    key = '<p class="vps-key">grey: cannot be told</p>' if told else ""
    return f'<div class="vps-pair">{"".join(figures)}</div>{scale}{key}'


def curves(explanations: Sequence[tuple[str, Explanation]], step: int | None = None) -> str:
    """Insertion and deletion of one or two methods; a line at a step of the order."""
    top = max(
        (float(max(one.insertion.max(), one.deletion.max())) for _, one in explanations), default=1
    )
    top = max(top, 0.05)
    parts = [_axes(top)]
    for number, (_, one) in enumerate(explanations):
        dashes = ' stroke-dasharray="5 3"' if number else ""
        for values, colour in ((one.insertion, BLUE), (one.deletion, VERMILLION)):
            points = " ".join(
                f"{_x(area):.1f},{_y(value, top):.1f}"
                for area, value in zip(one.areas, values, strict=True)
            )
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"'
                f"{dashes}/>"
            )
    if step is not None and explanations:
        areas = explanations[0][1].areas
        x = _x(float(areas[min(step, len(areas) - 1)]))
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HIGH - _BOTTOM}" class="vps-now"/>'
        )
    keys = [
        f'<li><b style="color:{BLUE}">insertion</b> {one.insertion_auc:.3f}, '
        f'<b style="color:{VERMILLION}">deletion</b> {one.deletion_auc:.3f}'
        f"{'' if len(explanations) == 1 else f' ({html.escape(name)}{dashed})'}</li>"
        for (name, one), dashed in zip(explanations, ("", ", dashed"), strict=False)
    ]
    return (
        f'<svg class="vps-curves" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Score as '
        f'regions are shown (insertion) or hidden (deletion)">{"".join(parts)}</svg>'
        f'<ul class="vps-auc">{"".join(keys)}</ul>'
    )


def at_step(
    explanations: Sequence[tuple[str, Explanation]],
    pixels: np.ndarray,
    step: int,
    side: ShownOrHidden,
) -> str:
    """What the detector saw at a step, of one or two methods."""
    figures = []
    for name, one in explanations:
        place = min(max(step, 0), len(one.order))
        shown = side == "shown"
        score = (one.insertion if shown else one.deletion)[place]
        overlap = (one.insertion_iou if shown else one.deletion_iou)[place]
        share = as_percent(float(one.areas[place]))
        about = f"{place} of {len(one.order)} regions {side}, {share} of the image: "
        about += f"score {score:.2f}, IoU {overlap:.2f}" if score > 0 else "not found"
        about += "" if one.measured[place] else " (interpolated)"
        picture = address(step_picture(one, pixels, place, side))
        lead = f"{name}: " if len(explanations) > 1 else ""
        figures.append(_figure(picture, f"The image with {about}", lead + about))
    return f'<div class="vps-pair">{"".join(figures)}</div>'


def answers(found: Sequence[Answered], pixels: np.ndarray) -> str:
    """Sentences, what they speak of, and doubts."""
    parts = []
    for one in found:
        lead = f"<b>{html.escape(one.how.method)}</b>: " if len(found) > 1 else ""
        if one.sentence:
            parts.append(f'<p class="vps-sentence">{lead}{html.escape(one.sentence)}</p>')
        if isinstance(one.answer, Answer):
            picture = hidden_picture(one.answer, pixels)
            if picture is not None:
                about = "Outlined: the regions that the sentence is about"
                parts.append(_figure(address(picture), about, about))
        if isinstance(one.answer, WordAnswer):
            parts.append(words(one.answer))
        doubts = [*([one.failure] if one.failure else [])]
        doubts += one.explanation.warnings if one.explanation is not None else ()
        parts += [f'<p class="vps-doubt">{lead}{html.escape(text)}</p>' for text in doubts]
    return "".join(parts)


def words(answer: WordAnswer) -> str:
    """The words of a phrase, the more coloured, the more each matters."""
    most = max([word.importance for word in answer.words] + [0.1])
    chips = []
    for place, word in enumerate(answer.words):
        share = min(max(word.importance / most, 0), 1)
        idle = " vps-idle" if place in answer.ignored else ""
        chips.append(
            f'<span class="vps-word{idle}" style="background:rgba(240,176,0,{share:.2f})">'
            f"{html.escape(word.text)}<small>{word.said_score:.2f}</small></span>"
        )
    about = f"the score of the box without each word ({answer.said_score:.2f} with all)"
    return f'<p class="vps-words">{"".join(chips)}</p><p class="vps-key">{about}</p>'


def _about(name: str, one: Explanation) -> str:
    return f"{name}: {one.passes:,} passes, {one.seconds:.1f} s"


def _figure(source: str, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="{source}" alt="{html.escape(alt)}"><figcaption>'
        f"{html.escape(caption)}</figcaption></figure>"
    )


def _status(text: str) -> str:
    return f'<div class="vps-status"><span>{text}</span></div>'


def _x(area: float) -> float:
    return _LEFT + area * (_WIDE - _LEFT - _RIGHT)


def _y(value: float, top: float) -> float:
    return _TOP + (1 - value / top) * (_HIGH - _TOP - _BOTTOM)


def _axes(top: float) -> str:
    low = _HIGH - _BOTTOM
    lines = [
        f'<path d="M{_LEFT} {_TOP}V{low}H{_WIDE - _RIGHT}" class="vps-axis"/>',
        f'<text x="{_LEFT - 4}" y="{_TOP + 4}" text-anchor="end">{top:.2f}</text>',
        f'<text x="{_LEFT - 4}" y="{low + 3}" text-anchor="end">0</text>',
        f'<text x="{_LEFT}" y="{low + 12}">0 %</text>',
        f'<text x="{_WIDE - _RIGHT}" y="{low + 12}" text-anchor="end">100 %</text>',
        f'<text x="{(_LEFT + _WIDE) / 2}" y="{_HIGH - 3}" text-anchor="middle">'
        "area shown or hidden</text>",
    ]
    return "".join(lines)

"""A static page of explanations: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vps.core.files import write_atomically
from vps.core.targets import Kind
from vps.report.figures.panels import SUFFICIENT, regions_shown
from vps.results.explanation import Explanation
from vps.results.sentences import as_percent

_TEMPLATE = "page.html"

PART = f"part that reaches {100 * SUFFICIENT:.0f} % of the score"
"""What the third panel of a figure shows, but for a missed object."""


@dataclass(frozen=True)
class PageCase:
    """One explanation on the page.

    Attributes:
        title: what is asked, e.g. "Why is this a wheel?".
        kind: a short name of the kind of case.
        text: a sentence or two on what is to be seen.
        figure: file name of the picture, in the folder of the page.
        explanation: where the numbers come from, but for passes and seconds.
        answer_figure: likewise, the picture of what has to be hidden.
        answer: what it says, in a sentence without a full stop.
        passes, seconds: of explanation and answer together.
    """

    title: str
    kind: str
    text: str
    figure: str
    explanation: Explanation
    answer_figure: str
    answer: str
    passes: int
    seconds: float


def write_page(path: Path, title: str, introduction: str, cases: Sequence[PageCase]) -> Path:
    """Write the page; texts are escaped.

    Args:
        path: of the page; the figures lie beside it.
        title: of the page.
        introduction: a paragraph below the title.
        cases: in the order of the page.

    Raises:
        InputError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("vps.demo", "."), autoescape=True)
    shown = [
        {
            "title": case.title,
            "kind": case.kind,
            "text": case.text,
            "figure": quote(case.figure),
            "alt": f"Figure: {case.title}",
            "answer_figure": quote(case.answer_figure),
            "answer": case.answer[0].upper() + case.answer[1:] + ".",
            "numbers": numbers(case),
            "warnings": case.explanation.warnings,
        }
        for case in cases
    ]
    page = environment.get_template(_TEMPLATE).render(
        title=title, introduction=introduction, cases=shown, sufficient=f"{100 * SUFFICIENT:.0f}"
    )
    write_atomically(path, page.encode())
    return path


def numbers(case: PageCase) -> dict[str, str]:
    """The key numbers of a case, ready to print."""
    explanation = case.explanation
    count = regions_shown(explanation)
    share = explanation.areas[count]
    missed = explanation.target.kind is Kind.MISSED
    scored = (explanation.insertion.max() if missed else explanation.insertion[-1]) > 0
    part = "best part" if missed else PART
    return {
        "score": f"{explanation.deletion_class[0]:.2f}",
        "insertion AUC": f"{explanation.insertion_auc:.3f}",
        "deletion AUC": f"{explanation.deletion_auc:.3f}",
        part: f"{as_percent(share)} of the area" if scored else "none",
        "passes": f"{case.passes:,}",
        "seconds": f"{case.seconds:.1f}",
    }

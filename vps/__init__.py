"""Visual Precision Search: which parts of an image make a detector put this box here.

    found = vps.detect(detector, "street.jpg")[0]
    explanation = vps.explain(detector, "street.jpg", found)
    explanation.heatmap    # (H, W), 1 where it matters most

All that users need is here. Each name is imported when it is first asked for: torch takes seconds,
and `vps --help` needs none of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vps._neighbours import check_detectors
from vps._version import __version__

if TYPE_CHECKING:
    from vps.core.candidates import Candidates, TargetScores
    from vps.core.detect import Detection, detect, visible
    from vps.core.detector import (
        Detector,
        OpenVocabularyDetector,
        PromptedDetector,
        TargetScorer,
        WordHider,
    )
    from vps.core.regions import Regions, make_regions, regions_from_masks
    from vps.core.targets import Kind, Target
    from vps.engine.budget import Budget, Progress, StopReason
    from vps.engine.problem import Problem, make_problem
    from vps.errors import (
        CancelledError,
        DetectorError,
        IncompleteError,
        InputError,
        MissingExtraError,
        OutputError,
        VpsError,
    )
    from vps.explaining.explain import explain
    from vps.explaining.failure import explain_failure
    from vps.explaining.words import explain_words
    from vps.methods import METHODS, Attribution, Method
    from vps.methods.control.box import BoxPrior
    from vps.methods.control.random import RandomOrder
    from vps.methods.perturbation.drise import DRISE
    from vps.methods.search.vps import VPS
    from vps.metrics import METRICS
    from vps.metrics.measures import measure
    from vps.report.figures.answer import save_answer_figure
    from vps.report.figures.explanation import save_figure
    from vps.report.live import LiveDisplay
    from vps.report.progress import progress_bar
    from vps.results.answer import Answer, RegionSet
    from vps.results.explanation import Explanation
    from vps.results.word_answer import WordAnswer
    from vps.search import SEARCHES
    from vps.sets.smallest import SmallestSet

__all__ = [
    "DRISE",
    "METHODS",
    "METRICS",
    "SEARCHES",
    "VPS",
    "Answer",
    "Attribution",
    "BoxPrior",
    "Budget",
    "CancelledError",
    "Candidates",
    "Detection",
    "Detector",
    "DetectorError",
    "Explanation",
    "IncompleteError",
    "InputError",
    "Kind",
    "LiveDisplay",
    "Method",
    "MissingExtraError",
    "OpenVocabularyDetector",
    "OutputError",
    "Problem",
    "Progress",
    "PromptedDetector",
    "RandomOrder",
    "RegionSet",
    "Regions",
    "SmallestSet",
    "StopReason",
    "Target",
    "TargetScorer",
    "TargetScores",
    "VpsError",
    "WordAnswer",
    "WordHider",
    "__version__",
    "detect",
    "explain",
    "explain_failure",
    "explain_words",
    "make_problem",
    "make_regions",
    "measure",
    "progress_bar",
    "regions_from_masks",
    "save_answer_figure",
    "save_figure",
    "visible",
]

_HOMES = {
    "vps.core.candidates": "Candidates TargetScores",
    "vps.core.detect": "Detection detect visible",
    "vps.core.detector": "Detector OpenVocabularyDetector PromptedDetector TargetScorer WordHider",
    "vps.core.regions": "Regions make_regions regions_from_masks",
    "vps.core.targets": "Kind Target",
    "vps.engine.budget": "Budget Progress StopReason",
    "vps.engine.problem": "Problem make_problem",
    "vps.errors": (
        "CancelledError DetectorError IncompleteError InputError MissingExtraError OutputError "
        "VpsError"
    ),
    "vps.explaining.explain": "explain",
    "vps.explaining.failure": "explain_failure",
    "vps.explaining.words": "explain_words",
    "vps.methods": "METHODS Attribution Method",
    "vps.methods.control.box": "BoxPrior",
    "vps.methods.perturbation.drise": "DRISE",
    "vps.methods.control.random": "RandomOrder",
    "vps.methods.search.vps": "VPS",
    "vps.metrics": "METRICS",
    "vps.metrics.measures": "measure",
    "vps.report.figures.answer": "save_answer_figure",
    "vps.report.figures.explanation": "save_figure",
    "vps.report.live": "LiveDisplay",
    "vps.report.progress": "progress_bar",
    "vps.results.answer": "Answer RegionSet",
    "vps.results.explanation": "Explanation",
    "vps.results.word_answer": "WordAnswer",
    "vps.search": "SEARCHES",
    "vps.sets.smallest": "SmallestSet",
}
"""Modules, and the public names that each defines."""

check_detectors()

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'vps' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value  # the next time, this is not asked
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Visual Precision Search: which parts of an image make a detector put this box here.

    found = vps.detect(detector, "street.jpg")[0]
    explanation = vps.explain(detector, "street.jpg", found)
    explanation.heatmap    # (H, W), 1 where it matters most

All that users need is here; what takes long to import comes when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from vps._version import __version__
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
from vps.methods.box import BoxPrior
from vps.methods.drise import DRISE
from vps.methods.random import RandomOrder
from vps.methods.vps import VPS
from vps.metrics import METRICS
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
    "Candidates",
    "Detection",
    "Detector",
    "DetectorError",
    "Explanation",
    "IncompleteError",
    "InputError",
    "Kind",
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
    "regions_from_masks",
    "save_answer_figure",
    "save_figure",
    "visible",
]

_LATE = {
    "measure": "vps.metrics.measures",
    "save_answer_figure": "vps.report.figures.answer",
    "save_figure": "vps.report.figures.explanation",
}
"""Public functions that need scipy or matplotlib, and the modules that have them."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'vps' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

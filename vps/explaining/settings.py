"""What the doors share: settings by keyword, a problem made of what is given, checks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from vps.core.candidates import LEAST_DETECTION
from vps.core.detect import Detection
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.names import choose
from vps.core.targets import Target
from vps.engine.problem import Problem, make_problem
from vps.errors import InputError
from vps.methods import METHODS, Method, make_method, settings_of

PROBLEM_SETTINGS = tuple(
    name
    for name, parameter in inspect.signature(make_problem).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
)
"""What `vps.engine.problem.make_problem` can be set to."""


def sort_settings(
    method: str | Method, settings: Mapping[str, Any]
) -> tuple[Method, dict[str, Any]]:
    """The method, made and checked, and the settings of the problem.

    Args:
        method: a key of `vps.methods.METHODS`, whose settings may be among the others, or a method
            that has its own.
        settings: by name.

    Raises:
        InputError: a method that does not exist, or a setting of neither.
    """
    of_problem = {name: settings[name] for name in PROBLEM_SETTINGS if name in settings}
    rest = {name: value for name, value in settings.items() if name not in of_problem}
    if isinstance(method, str):
        known = (*PROBLEM_SETTINGS, *settings_of(choose(METHODS, method, "method")))
        for name in rest:
            choose(dict.fromkeys(known), name, f"setting, with the method {method},")
        return make_method(method, rest), of_problem
    ready = make_method(method)
    for name in rest:
        if name not in settings_of(ready):
            choose(dict.fromkeys(PROBLEM_SETTINGS), name, "setting")
    return make_method(ready, rest), of_problem


def as_problem(
    detector: Detector | Problem,
    image: AnyImage | None,
    targets: Sequence[Target | Detection] | None,
    settings: Mapping[str, Any],
) -> Problem:
    """What is asked: a problem as it is, or detector, image and targets made into one.

    Raises:
        InputError: both, or neither.
        DetectorError: as for `vps.engine.problem.make_problem`.
    """
    if not isinstance(detector, Problem):
        if image is None or targets is None:
            raise InputError("give a detector, an image and a target, or a Problem")
        return make_problem(detector, image, targets, **settings)
    if image is not None or targets is not None or settings:
        raise InputError("a Problem holds image, targets and settings: give them to make_problem")
    return detector


def check_seed(seed: int) -> None:
    """Raise InputError for a seed that no generator takes."""
    if not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"a seed is a whole number >= 0, got {seed!r}")


def check_threshold(threshold: float) -> None:
    """Raise InputError for what no score of a detection can have to reach."""
    if not isinstance(threshold, Real) or not LEAST_DETECTION <= threshold <= 1:
        raise InputError(f"a threshold lies in [{LEAST_DETECTION}, 1], got {threshold!r}")

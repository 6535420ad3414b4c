"""Settings by keyword, sorted to the problem and to the method that they are of."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from vps.core.names import choose
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods import METHODS, Method, make_method

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
        kind: Any = choose(METHODS, method, "method")
        known = (*PROBLEM_SETTINGS, *(field.name for field in dataclasses.fields(kind)))
        for name in rest:
            choose(dict.fromkeys(known), name, f"setting, with the method {method},")
    elif unknown := [name for name in rest if not _is_setting(method, name)]:
        choose(dict.fromkeys(PROBLEM_SETTINGS), unknown[0], "setting")
    return make_method(method, rest), of_problem


def check_seed(seed: int) -> None:
    """Raise InputError for a seed that no generator takes."""
    if seed < 0:
        raise InputError(f"a seed is a number >= 0, got {seed}")


def _is_setting(method: object, name: str) -> bool:
    return dataclasses.is_dataclass(method) and hasattr(method, name)

"""The methods we compare with, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vps.core.names import choose
from vps.methods.box import box_map
from vps.methods.drise import drise_map
from vps.methods.options import check_options_of
from vps.methods.protocol import Maps, Method
from vps.methods.random import random_map

__all__ = ["METHODS", "Maps", "Method", "check_options"]

METHODS: dict[str, Method] = {
    "drise": drise_map,
    "random": random_map,
    "box": box_map,
}


def check_options(method: str, options: Mapping[str, Any]) -> None:
    """Refuse what a method cannot be set to, before any work.

    Args:
        method: a key of `METHODS`.
        options: its keyword arguments, by name.

    Raises:
        InputError: an unknown method or option, or a value of another type or out of range.
    """
    check_options_of(choose(METHODS, method, "method"), options, method)

"""Tricks for detectors, see `tests.helpers.studies`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.studies import TRICKS


@pytest.fixture
def tricks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets what detectors do from now on."""

    def set_tricks(**chosen: Any) -> None:
        monkeypatch.setenv(TRICKS, json.dumps({key: _plain(v) for key, v in chosen.items()}))

    return set_tricks


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else str(value)

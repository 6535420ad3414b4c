"""What several test files share."""

from __future__ import annotations

import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin

from tests.helpers.analytic import TARGET
from vps.results.explanation import Explanation


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that something tried to run; none of them runs."""
    tried: list[str] = []

    def run(*arguments: Any, **settings: Any) -> Any:
        tried.append(str(arguments))
        raise OSError("no programs here")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    monkeypatch.setattr(subprocess, "Popen", run)
    return tried


@pytest.fixture
def explanation() -> Explanation:
    """An explanation of four regions with made-up curves."""
    rng = np.random.default_rng(0)
    curves = [
        "objective",
        "insertion",
        "deletion",
        "insertion_class",
        "deletion_class",
        "insertion_iou",
        "deletion_iou",
    ]
    return Explanation(
        **{name: rng.random(5) for name in curves},
        label_map=np.repeat(np.arange(4), 5)[None].repeat(10, axis=0),
        order=np.array([2, 0, 1, 3]),
        insertion_boxes=rng.random((5, 4)),
        deletion_boxes=rng.random((5, 4)),
        areas=np.linspace(0, 1, 5),
        target=TARGET,
        image_size=(20, 40),
        detector="rule",
        fill="mean",
        region_method="grid",
        search="greedy",
        mode="object",
        lambdas=(1.0, 1.0),
        labels=("cat", "dog", "bird"),
        budget=None,
        seed=0,
        passes=16,
        seconds=0.5,
        versions={"vps": "0"},
        warnings=("a doubt",),
        image_name="street.jpg",
    )

"""The functions of the Python page, called with what they do not expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import vps
from tools.fuzzing.detector import BOXES, LightDetector
from tools.fuzzing.mutation import Random, broken_value

LABELS = ("cat", "dog")


def _image() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 255, (24, 32, 3), dtype=np.uint8)


def _odd(random: Random) -> Any:
    """Values that no file can hold."""
    return (
        object(),
        print,
        b"dog",
        {1, 2},
        np.array([]),
        np.zeros((24, 32)),
        np.full((24, 32, 3), np.nan),
        np.float64("nan"),
        np.int64(2**62),
        torch.zeros(3, 4),
        vps.Target,
        vps.Kind.MISSED,
        vps.Budget,
        1j,
    )[int(random.integers(14))]


def _explain(value: Callable[..., Any]) -> Any:
    target = vps.Target(value("box", BOXES[0]), value("target_label", "dog"))
    return vps.explain(
        value("detector", LightDetector(LABELS)),
        value("image", _image()),
        value("target", target),
        regions=value("regions", 4),
        region_method=value("region_method", "grid"),
        fill=value("fill", "mean"),
        mode=value("mode", "object"),
        lambdas=value("lambdas", (1.0, 1.0)),
        batch_size=value("batch_size", 4),
        method=value("method", "vps"),
        search=value("search", "leave_one_out"),
        seed=value("seed", 0),
        budget=value("budget", vps.Budget(passes=60)),
    )


def _failure(value: Callable[..., Any]) -> Any:
    target = vps.Target(BOXES[0], "dog", value("kind", vps.Kind.MISSED))
    return vps.explain_failure(
        value("detector", LightDetector(LABELS)),
        value("image", _image()),
        value("target", target),
        threshold=value("threshold", 0.5),
        regions=4,
        region_method="grid",
        budget=value("budget", vps.Budget(passes=200)),
        seed=value("seed", 0),
    )


def _detect(value: Callable[..., Any]) -> Any:
    return vps.detect(
        value("detector", LightDetector(LABELS)),
        value("image", _image()),
        value("threshold", 0.3),
    )


def _masks(value: Callable[..., Any]) -> Any:
    masks = np.zeros((2, 24, 32), bool)
    masks[0, :4] = masks[1, 4:] = True
    return vps.regions_from_masks(value("masks", masks))


def _regions(value: Callable[..., Any]) -> Any:
    return vps.make_regions(
        value("pixels", torch.rand(3, 24, 32)),
        value("count", 4),
        value("method", "grid"),
    )


def _label_map(value: Callable[..., Any]) -> Any:
    labels = np.repeat(np.arange(4), 8)[None].repeat(24, axis=0)
    return vps.Regions(value("label_map", labels), value("method", "mine"))


def _budget(value: Callable[..., Any]) -> Any:
    return vps.Budget(value("passes", 4), value("seconds", 1.0), value("progress", None))


def _measure(value: Callable[..., Any]) -> Any:
    found = vps.explain(
        LightDetector(LABELS),
        _image(),
        vps.Target(BOXES[0], "dog"),
        regions=4,
        region_method="grid",
        search="leave_one_out",
    )
    return vps.measure(
        value("explanation", found),
        truth_box=value("truth_box", BOXES[1]),
        mask=value("mask", None),
        settings=value("settings", None),
    )


def _candidates(value: Callable[..., Any]) -> Any:
    return vps.Candidates(
        value("boxes", torch.tensor([BOXES])),
        value("scores", torch.rand(1, 2, 2)),
        value("labels", LABELS),
    )


class _Broken(LightDetector):
    """Gives another value for one of its attributes, or from one of its methods."""

    def __init__(self, where: str, given: Any) -> None:
        super().__init__(LABELS)
        self._where, self._given = where, given
        if where in ("labels", "name", "device"):
            setattr(self, where, given)

    def prepare(self, image: np.ndarray) -> Any:
        pixels = super().prepare(image)
        if self._where == "raises":
            raise ZeroDivisionError("of the library")
        if self._where == "scaled":
            return pixels * 200
        if self._where == "poisoned":
            return pixels * float("nan")
        return self._given if self._where == "prepare" else pixels

    def detect(self, pixels: torch.Tensor, size: tuple[int, int]) -> Any:
        found = super().detect(pixels, size)
        return self._given if self._where == "detect" else found


BROKEN = ("labels", "name", "device", "prepare", "detect", "raises", "scaled", "poisoned")
FUNCTIONS = (
    _explain,
    _explain,
    _failure,
    _detect,
    _regions,
    _masks,
    _label_map,
    _budget,
    _measure,
    _candidates,
)


def try_call(random: Random) -> None:
    """Call a function with one argument of another kind, or with a detector that is none."""
    function = FUNCTIONS[int(random.integers(len(FUNCTIONS)))]
    given = broken_value(random) if random.random() < 0.6 else _odd(random)
    names: list[str] = []

    def noted(name: str, usual: Any) -> Any:
        names.append(name)
        return usual

    function(noted)
    chosen = names[int(random.integers(len(names)))]
    if chosen == "detector" and random.random() < 0.8:
        given = _Broken(BROKEN[int(random.integers(len(BROKEN)))], given)
    function(lambda name, usual: given if name == chosen else usual)

"""What class activation maps share: which layer they look at, and how a map is enlarged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vps.core.detector import FeatureDetector, FeatureLayer
from vps.core.names import choose
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.gradients import differentiable
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.gradient.attributed import asking, attributed, planned
from vps.methods.protocol import FEATURES, Attribution, MethodFamily

_AUTO = "auto"

_Map = TypeVar("_Map", bound="ActivationMap")


@dataclass(frozen=True)
class ActivationMap(ABC):
    """A map made of a layer's features A and the gradients g = ds/dA of a target's score.

    It is enlarged bilinearly to the detector's grid. One forward pass, and one backward pass a
    target.

    Attributes:
        layer: whose features are looked at: a name of `FeatureDetector.feature_layers`, or "auto":
            for each target the one through which most of its score's gradient goes, by the sum of
            |g A|. In a pyramid of features that is the level that the detection comes from.
    """

    family: ClassVar[MethodFamily] = MethodFamily.GRADIENT
    needs: ClassVar[str] = FEATURES
    name: ClassVar[str]

    layer: str = _AUTO

    def __post_init__(self) -> None:
        check_fields(self)

    @abstractmethod
    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """A map (h', w') of features (C, h', w') and gradients (C, h', w'), float32."""

    def planned_passes(self, problem: Problem) -> int:
        """One forward, and one backward a target."""
        return planned(problem, 1)

    def with_passes(self: _Map, passes: int) -> _Map:
        """It makes no use of more."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`.

        Raises:
            InputError: no such layer, a detector without layers or gradients, or a budget too
                small; before the first pass.
        """
        layers = list(self._layers(problem).values())
        source = asking(problem, self.name, budget)
        _, told = source.layers(problem.pixels[None], layers)
        grid = (problem.pixels.shape[1], problem.pixels.shape[2])
        maps = []
        for number in range(len(problem.targets)):
            passing = [float((one.features * one.gradients[number]).abs().sum()) for one in told]
            best = told[passing.index(max(passing))]
            found = self.weigh(best.features[0].float(), best.gradients[number, 0].float())
            maps.append(interpolate(found[None, None], grid, mode="bilinear")[0, 0])
        return attributed(source, torch.stack(maps))

    def _layers(self, problem: Problem) -> dict[str, FeatureLayer]:
        detector = differentiable(problem, self.name)
        if not isinstance(detector, FeatureDetector):
            raise InputError(
                f"{self.name} looks at feature layers, and {problem.detector.name} names none: "
                "take a method that needs gradients only, or none (`vps methods` tells)"
            )
        layers = dict(detector.feature_layers())
        if self.layer == _AUTO:
            return layers
        choose(layers, self.layer, "feature layer")
        return {self.layer: layers[self.layer]}

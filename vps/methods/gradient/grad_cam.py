"""Grad-CAM: features weighed by their mean gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vps.methods.gradient.activation import ActivationMap


@dataclass(frozen=True)
class GradCAM(ActivationMap):
    """Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, equations 1 and 2, of the target's score s instead of a class's.

        map = ReLU(sum_k w_k A_k),   w_k = mean over places of g_k

    with A_k channel k of a layer and g_k = ds/dA_k. A channel has one weight for the whole image,
    so the map may show other objects of the class. See `ActivationMap` for the layer.
    """

    name: ClassVar[str] = "grad-cam"

    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """(h', w') in [0, inf)."""
        weights = gradients.mean(dim=(1, 2), keepdim=True)
        return (weights * features).sum(dim=0).relu()

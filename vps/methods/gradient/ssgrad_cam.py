"""SSGrad-CAM: Grad-CAM that keeps where a channel's gradient is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vps.methods.gradient.activation import ActivationMap


@dataclass(frozen=True)
class SSGradCAM(ActivationMap):
    """Yamauchi and Ishikawa, "Spatial Sensitive Grad-CAM: Visual Explanations for Object Detectors
    by Incorporating Spatial Sensitivity", ICIP 2022.

        map = ReLU(sum_k w_k A_k S_k),   w_k = mean over places of g_k
        S_k = |g_k| / max over places of |g_k|

    with A_k channel k of a layer and g_k = ds/dA_k. The spatial sensitivity S_k leaves out places
    whose features the target does not read. See `ActivationMap` for the layer.
    """

    name: ClassVar[str] = "ssgrad-cam"

    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """(h', w') in [0, inf)."""
        weights = gradients.mean(dim=(1, 2), keepdim=True)
        return (weights * features * sensitivity(gradients)).sum(dim=0).relu()


def sensitivity(gradients: Tensor) -> Tensor:
    """(C, h', w') S_k in [0, 1]; a channel without gradient has 0."""
    sizes = gradients.abs()
    most = sizes.amax(dim=(1, 2), keepdim=True)
    return sizes / most.where(most > 0, 1.0)

"""SSGrad-CAM++: Grad-CAM++ that keeps where a channel's gradient is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vps.methods.gradient.activation import ActivationMap
from vps.methods.gradient.grad_cam_pp import plus_plus_weights
from vps.methods.gradient.ssgrad_cam import sensitivity


@dataclass(frozen=True)
class SSGradCAMPlusPlus(ActivationMap):
    """Yamauchi, "Spatial Sensitive Grad-CAM++: Improved Visual Explanation for Object Detectors via
    Weighted Combination of Gradient Map", CVPR Workshops 2024.

        map = ReLU(sum_k w_k A_k S_k)

    with the weights w_k of `vps.methods.gradient.grad_cam_pp.GradCAMPlusPlus` and the spatial
    sensitivity S_k of `vps.methods.gradient.ssgrad_cam.SSGradCAM`.
    """

    name: ClassVar[str] = "ssgrad-cam++"

    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """(h', w') in [0, inf)."""
        weights = plus_plus_weights(features, gradients)
        return (weights * features * sensitivity(gradients)).sum(dim=0).relu()

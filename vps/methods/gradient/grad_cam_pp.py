"""Grad-CAM++: features weighed by their positive gradients, place by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vps.methods.gradient.activation import ActivationMap


@dataclass(frozen=True)
class GradCAMPlusPlus(ActivationMap):
    """Chattopadhay et al., "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep
    Convolutional Networks", WACV 2018, equations 10 and 19, of an exponential of the score s.

        map = ReLU(sum_k w_k A_k),   w_k = sum over places of a_k ReLU(g_k)
        a_k = g_k^2 / (2 g_k^2 + (sum over places of A_k) g_k^3)

    with A_k channel k of a layer and g_k = ds/dA_k. See `ActivationMap` for the layer.
    """

    name: ClassVar[str] = "grad-cam++"

    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """(h', w') in [0, inf)."""
        weights = plus_plus_weights(features, gradients)
        return (weights * features).sum(dim=0).relu()


def plus_plus_weights(features: Tensor, gradients: Tensor) -> Tensor:
    """(C, 1, 1) w_k; where a_k would divide by 0, it is 0."""
    squares = gradients.square()
    below = 2 * squares + features.sum(dim=(1, 2), keepdim=True) * gradients**3
    shares = torch.where(below != 0, squares / below.where(below != 0, 1.0), 0.0)
    return (shares * gradients.relu()).sum(dim=(1, 2), keepdim=True)

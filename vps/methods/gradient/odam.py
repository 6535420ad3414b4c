"""ODAM: features weighed by their gradient, place by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vps.errors import InputError
from vps.methods.gradient.activation import ActivationMap


@dataclass(frozen=True)
class ODAM(ActivationMap):
    """Zhao and Chan, "ODAM: Gradient-based Instance-Specific Visual Explanations for Object
    Detection", ICLR 2023, equations 3 and 4.

        map = ReLU(sum_k G(g_k) A_k)

    with A_k channel k of a layer, g_k = ds/dA_k, and G a Gaussian that smooths the gradient over
    neighbouring places. A weight of its own for every place makes the map one of the instance, not
    of the class. See `ActivationMap` for the layer.

    Attributes:
        layer: see `ActivationMap`.
        sigma: of the Gaussian, in places of the layer; 0 leaves it out.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "odam"

    sigma: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.sigma <= 100:
            raise InputError(f"sigma must be in [0, 100], got {self.sigma}")

    def weigh(self, features: Tensor, gradients: Tensor) -> Tensor:
        """(h', w') in [0, inf)."""
        if self.sigma:
            # Here: `import vps` is not to wait for it.
            from scipy.ndimage import gaussian_filter

            smooth = gaussian_filter(gradients.cpu().numpy(), (0, self.sigma, self.sigma))
            gradients = torch.from_numpy(smooth).to(gradients.device)
        return (gradients * features).sum(dim=0).relu()

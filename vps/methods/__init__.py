"""Methods, one a file: Visual Precision Search and what it is compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from vps.core.names import choose
from vps.core.schema import build
from vps.errors import InputError
from vps.methods.control.box import BoxPrior
from vps.methods.control.random import RandomOrder
from vps.methods.gradient.attention import GenericAttention
from vps.methods.gradient.grad_cam import GradCAM
from vps.methods.gradient.grad_cam_pp import GradCAMPlusPlus
from vps.methods.gradient.gradient_x_input import GradientXInput
from vps.methods.gradient.integrated_gradients import IntegratedGradients
from vps.methods.gradient.odam import ODAM
from vps.methods.gradient.smooth_grad import SmoothGrad
from vps.methods.gradient.ssgrad_cam import SSGradCAM
from vps.methods.gradient.ssgrad_cam_pp import SSGradCAMPlusPlus
from vps.methods.perturbation.d_close import DCLOSE
from vps.methods.perturbation.d_hsic import DHSIC
from vps.methods.perturbation.drise import DRISE
from vps.methods.perturbation.extremal_perturbation import ExtremalPerturbation
from vps.methods.perturbation.feature_ablation import FeatureAblation
from vps.methods.perturbation.kernel_shap import KernelSHAP
from vps.methods.perturbation.lime import LIME
from vps.methods.perturbation.occlusion import Occlusion
from vps.methods.perturbation.shapley_sampling import ShapleySampling
from vps.methods.perturbation.sobol import Sobol
from vps.methods.protocol import Attribution, Method, RegisteredMethod, RepairSearch
from vps.methods.search.lima import LiMA
from vps.methods.search.multi_scale import MultiScaleVPS
from vps.methods.search.phase_win import PhaseWin
from vps.methods.search.vps import VPS
from vps.methods.search.vx_code import VXCODE

__all__ = ["METHODS", "Attribution", "Method", "RepairSearch", "make_method"]

METHODS: dict[str, type[RegisteredMethod]] = {
    "vps": VPS,
    "vps-multi-scale": MultiScaleVPS,
    "phase-win": PhaseWin,
    "lima": LiMA,
    "vx-code": VXCODE,
    "drise": DRISE,
    "d-close": DCLOSE,
    "d-hsic": DHSIC,
    "sobol": Sobol,
    "occlusion": Occlusion,
    "feature-ablation": FeatureAblation,
    "lime": LIME,
    "kernel-shap": KernelSHAP,
    "shapley-sampling": ShapleySampling,
    "extremal-perturbation": ExtremalPerturbation,
    "grad-cam": GradCAM,
    "grad-cam++": GradCAMPlusPlus,
    "ssgrad-cam": SSGradCAM,
    "ssgrad-cam++": SSGradCAMPlusPlus,
    "odam": ODAM,
    "attention": GenericAttention,
    "gradient-x-input": GradientXInput,
    "smooth-grad": SmoothGrad,
    "integrated-gradients": IntegratedGradients,
    "random": RandomOrder,
    "box": BoxPrior,
}
"""By the name that settings use; each a frozen dataclass of its settings."""


def settings_of(method: Method | type[Method]) -> tuple[str, ...]:
    """The names of what a method can be set to."""
    return tuple(field.name for field in dataclasses.fields(method))  # type: ignore[arg-type]


def make_method(method: str | Method, options: Mapping[str, Any] | None = None) -> Method:
    """A method with its settings, checked.

    >>> make_method("drise", {"masks": 500})
    DRISE(masks=500, grid=16, p=0.5, objectness='auto')

    Args:
        method: a key of `METHODS`, or a method that is ready.
        options: settings of the one that is named.

    Raises:
        InputError: an unknown method or option, a value of another type or out of range, or
            options beside a method that has its settings.
    """
    if isinstance(method, str):
        kind = choose(METHODS, method, "method")
        fields = dict.fromkeys(settings_of(kind))
        for name in options or {}:
            if not fields:
                raise InputError(f"{method} has no options, got {name!r}")
            choose(fields, name, f"option of {method}")
        try:
            built: Method = build(kind, options)
        except InputError as error:
            raise InputError(f"{method}: {error}") from error
        return built
    whole = isinstance(method, Method) and dataclasses.is_dataclass(method)
    if isinstance(method, type) or not whole:
        raise InputError(
            f"a method is a name or a dataclass such as vps.DRISE(masks=500), got {method!r}"
        )
    if options:
        raise InputError(
            f"{', '.join(options)}: give that to {type(method).__name__}(...), which is ready"
        )
    return method

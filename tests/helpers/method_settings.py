"""Every method with settings that take few passes, for tests that run over all."""

from __future__ import annotations

from vps.methods import METHODS, Method, make_method
from vps.search import SEARCHES

SETTINGS: dict[str, dict] = {
    **{name: {} for name in METHODS},
    "drise": {"masks": 40, "grid": 4},
    "d-close": {"masks": 40, "segments": 4, "levels": 3},
    "d-hsic": {"masks": 40, "grid": 3},
    "sobol": {"designs": 4, "grid": 3},
    "occlusion": {"window": 0.4, "stride": 0.2},
    "lime": {"samples": 60},
    "kernel-shap": {"samples": 60},
    "shapley-sampling": {"permutations": 3},
    "extremal-perturbation": {"steps": 3},
    "vps-multi-scale": {"numbers": [3, 5]},
    "smooth-grad": {"samples": 9},
    "integrated-gradients": {"steps": 9},
    "vx-code insertion": {"variant": "insertion", "group": 2, "top": 6, "share": 0.2},
    **{f"vps {search}": {"search": search} for search in SEARCHES},
    "vps share": {"search": "top_k", "budget": 0.5},
}
"""By a name that begins with the method's."""


def ready(name: str) -> Method:
    """A method with the settings of that name."""
    return make_method(name.split()[0], SETTINGS[name])

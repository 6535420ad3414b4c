"""Names that options can take, for the help and for shell completion.

The registries that have them bring torch with them, which takes seconds; a test holds these lists
against them. What is refused, and with which nearest name, the registries alone decide.
"""

from __future__ import annotations

from collections.abc import Callable

DEMO_DETECTOR = "demo-grounding-dino"

SEARCH_NAMES = (
    "auto",
    "sampled_search",
    "sampled_search_wide",
    "path_search",
    "top_k",
    "greedy",
    "phase_win",
    "bidirectional",
    "lazy",
    "leave_one_out",
    "random",
)
EFFORT_NAMES = ("fast", "balanced", "high")
REGION_METHOD_NAMES = ("slico", "slic", "grid", "felzenszwalb", "opencv-slico")
NUMBERING_NAMES = ("scan", "distance")
FILL_NAMES = ("mean", "black", "image-mean", "blur")
MODE_NAMES = ("object", "class", "box", "threshold")
MAP_RULE_NAMES = ("vps", "vps-paper")
MAP_REPLAY_NAMES = ("regions", "pixel-steps")
PROTOCOL_NAMES = ("vps-paper",)
METHOD_NAMES = (
    "vps",
    "vps-multi-scale",
    "phase-win",
    "lima",
    "vx-code",
    "drise",
    "d-close",
    "d-hsic",
    "sobol",
    "occlusion",
    "feature-ablation",
    "lime",
    "kernel-shap",
    "shapley-sampling",
    "extremal-perturbation",
    "grad-cam",
    "grad-cam++",
    "ssgrad-cam",
    "ssgrad-cam++",
    "odam",
    "attention",
    "gradient-x-input",
    "smooth-grad",
    "integrated-gradients",
    "random",
    "box",
)
DTYPE_NAMES = ("float32", "bfloat16", "float16")

FIGURE_FORMATS = ("png", "pdf", "svg")
"""Of pictures; these are decided here."""


def listed(names: tuple[str, ...]) -> str:
    """Names as a part of a sentence: "png, pdf or svg"."""
    return " or ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def completing(names: tuple[str, ...]) -> Callable[[], list[str]]:
    """What a shell offers for an option; typer keeps those that begin as the user does."""
    return lambda: list(names)

# %% [markdown]
# # Your own detector, method, metric
#
# ## A detector
#
# Whatever gives boxes and scores can be explained. A function that takes a batch of images, (B, 3, H, W) in [0, 1],
# and returns boxes (B, N, 4) and scores (B, N, labels) is enough:

# %%
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import vps
from detectors.function import FunctionDetector
from vps.methods.protocol import MethodFamily
from vps.metrics import Measured, Metric


def find_lamp(pixels):
    light = pixels[:, :, 8:16, 16:32].mean(dim=(1, 2, 3))
    boxes = np.tile([16.0, 8.0, 32.0, 16.0], (len(pixels), 1, 1))
    return boxes, light[:, None, None]


image = np.full((32, 48, 3), 40, np.uint8)
image[8:16, 16:32] = 220
detector = FunctionDetector(find_lamp, ["lamp"])
print(vps.detect(detector, image))

# %% [markdown]
# The detector looks at the lamp alone, so a right explanation names the regions on the lamp first:

# %%
lamp = vps.Target((16, 8, 32, 16), "lamp")
cut = {"regions": 24, "region_method": "grid", "fill": "black"}
explanation = vps.explain(detector, image, lamp, **cut)
explanation

# %% [markdown]
# For a model of transformers, torchvision, Ultralytics or mmdet in memory, `detectors.wrap` makes one; an ONNX file has
# a [loader of its own](../../detectors/README.md).
#
# ## A method
#
# A method is a dataclass of its settings that gives maps, or orders of regions. This one hides each region alone:


# %%
@dataclass(frozen=True)
class HideOne:
    """By how much the score falls when a region alone is hidden (Zeiler and Fergus, ECCV 2014)."""

    name: ClassVar[str] = "hide-one"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    def planned_passes(self, problem):
        return problem.regions.count + 1

    def with_passes(self, passes):
        return self

    def attribute(self, problem, budget, seed):
        source, count = problem.passes(), problem.regions.count
        shown = np.concatenate([np.ones((1, count), bool), ~np.eye(count, dtype=bool)])
        source.show(shown, budget.started())
        score = source.evaluate(shown).score
        drops = score[0] - score[1:]  # (m, T)
        maps = np.stack([drop[problem.regions.label_map] for drop in drops.T])
        return vps.Attribution(source.passes, maps=maps.astype(np.float32))


vps.METHODS["hide-one"] = HideOne
ours = vps.explain(detector, image, lamp, method="hide-one", **cut)
print(f"{ours.passes} passes, deletion AUC {ours.deletion_auc:.3f}")

# %% [markdown]
# ## A metric
#
# A metric is a function of what was measured, and an entry in the table. Studies then have a column of it.


# %%
def half_area(one: Measured) -> float | None:
    """The share of the image where the map is at least 0.5; None where it is constant."""
    return float((one.heatmap >= 0.5).mean()) if one.heatmap.any() else None


vps.METRICS["half_area"] = Metric(
    "half_area",
    "Area above one half",
    "share of the image where the map is at least 0.5",
    half_area,
    higher_is_better=False,
    short="Half",
    format=".1%",
)
print(f"{vps.measure(ours)['half_area']:.1%}")

# %% [markdown]
# [Contributing](../../CONTRIBUTING.md) tells where each belongs in the project, and what tests it has to pass.

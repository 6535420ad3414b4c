# %% [markdown]
# # Compare methods on your data
#
# A study takes a data set, a detector and some methods, explains the same cases by each, and measures all in the same
# way. Here the data are drawn scenes; `configs/` has studies of COCO, LVIS, RefCOCO and others, and `vps study CONFIG`
# runs them from the command line.

# %%
from pathlib import Path

from vps.study.config import config_from
from vps.study.study import run_study

settings = {
    "name": "tutorial",
    "out": "out/tutorials/study",
    "scenes": {"folder": "out/tutorials/scenes", "split": "val", "count": 6, "seed": 7},
    "datasets": {
        "coco": {
            "format": "coco",
            "annotations": "out/tutorials/scenes/annotations/instances_val.json",
            "images": "out/tutorials/scenes/images/val",
        }
    },
    "detector": {"name": "demo-grounding-dino"},
    "select": {"kinds": ["correct"], "per_kind": 2},
    "regions": {"count": 9},
    "methods": {"vps": {}, "drise": {"options": {"masks": 40}}, "random": {}, "box": {}},
    "metrics": {"fidelity_subsets": 0},
    "run": {"executor": "serial", "pictures": False},
}
config = config_from(settings, [], "the settings of this tutorial")
run_study(config, "detectors:load_for", quiet=True)

# %% [markdown]
# Two cases are far too few to say which method is better, and the intervals say so. The folder of the study has the
# tables as Markdown, LaTeX, CSV and JSON, the plots, and a page for the browser.

# %%
print(*sorted(path.name for path in Path(config.out).iterdir()), sep="\n")

# %% [markdown]
# Started again, a study does only what is missing: stop it when you like. [Studies](../studies.md) has the rest:
# clusters, shards, repairs, robustness, what each metric means.

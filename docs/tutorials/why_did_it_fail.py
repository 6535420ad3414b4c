# %% [markdown]
# # Why did it fail?
#
# A detector misses an object, calls it something else, or sees one that is not there. `explain_failure` looks for what
# stands in the way: the smallest part of the image whose hiding makes the failure go away.

# %%
import vps
from detectors import load
from vps.data.scenes.scenes import make_scene

image = make_scene(77, 6).image
prompt = "circle . square . triangle . star . cross . ring . ball . wheel . plate . buoy ."
detector = load("demo-grounding-dino", prompt=prompt)
for found in vps.detect(detector, image):
    print(f"{found.label} {found.score:.2f} at", *map(round, found.box))

# %% [markdown]
# There is a wheel that is not among them. Where it is, and what it is called, comes from you (or from the annotations
# of a data set); what kind of failure it is, too.

# %%
missed = vps.Target((131, 123, 170, 162), "wheel", vps.Kind.MISSED)
answer = vps.explain_failure(detector, image, missed, regions=25, set_passes=60)
print(answer.sentence())
answer

# %% [markdown]
# The sentence says what was measured and no more: with these regions hidden, the wheel is found. It is one way, not
# the only one, and `fills` tells whether it holds when the regions are hidden in other ways.

# %%
if answer.repair is not None:
    print(answer.repair.fills, f"{answer.repair.area:.1%} of the image")

# %% [markdown]
# The same question on the command line, of an image of yours:
#
# ```sh
# vps explain street.jpg --detector hf-grounding-dino:IDEA-Research/grounding-dino-tiny --prompt "dog . cat ." \
#     --missed dog --box 20 4 38 28
# ```

# %% [markdown]
# # Explain one detection
#
# A detector put a box on an image. Which parts of the image made it do so? Everything here runs offline: the detector
# is the small Grounding DINO that ships with the project, and the image is drawn. For images and detectors of yours,
# only the first cell changes.

# %%
import vps
from detectors import load
from vps.data.scenes.scenes import make_scene

image = make_scene(77, 0).image  # (H, W, 3) uint8 RGB; the path of a file does as well
detector = load("demo-grounding-dino", prompt="circle . cross . wheel . buoy .")
for found in vps.detect(detector, image):
    print(f"{found.label} {found.score:.2f} at", *map(round, found.box))

# %% [markdown]
# `explain` cuts the image into regions, and searches for the order in which they matter: as few as possible should be
# enough for the detection, and their absence should lose it. 16 regions make this quick; the default cuts finer.

# %%
first = vps.detect(detector, image)[0]
explanation = vps.explain(detector, image, first, regions=16)
explanation

# %% [markdown]
# From left to right: the detection, its map, the fewest regions from which it is still found, and two curves. Along
# the order, *insertion* shows more and more regions and should rise early; *deletion* hides them and should fall
# early. The areas under them say how faithful the map is.

# %%
print(f"insertion AUC {explanation.insertion_auc:.3f}, deletion AUC {explanation.deletion_auc:.3f}")
print(f"{explanation.passes} passes through the detector")

# %% [markdown]
# The map is an array, and the picture is a matplotlib figure that can be changed.

# %%
print(explanation.heatmap.shape, explanation.heatmap.min(), explanation.heatmap.max())
figure = explanation.figure()
figure.set_size_inches(9, 2.6)

# %% [markdown]
# How much to believe of it? The box alone is a strong guess: whoever says "what matters lies in the box" often comes
# near. So hold the map against that, under the same measurement.

# %%
guess = vps.explain(detector, image, first, method="box", regions=16)
for one in (explanation, guess):
    print(f"{one.method}: insertion - deletion {one.insertion_auc - one.deletion_auc:.3f}")

# %% [markdown]
# Results are saved as arrays and JSON, and load back equal.

# %%
explanation.save("out/tutorials/first")
again = vps.Explanation.load("out/tutorials/first")
print(again == explanation)

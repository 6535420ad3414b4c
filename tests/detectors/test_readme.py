"""The adapter that the guide shows is one."""

import re
import textwrap

import numpy as np

from tests.helpers.contract import check_contract
from tests.helpers.paths import ROOT
from vps import Target, detect, explain
from vps.core.masking import DATASET_MEAN

GUIDE = ROOT / "detectors" / "README.md"


def test_the_example_of_the_guide_keeps_the_contract_and_is_explained():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "class BlobDetector" in block)
    names = {}
    exec(textwrap.dedent(code), names)  # noqa: S102
    detector = names["BlobDetector"]()
    check_contract(detector)
    # The colour of the default fill, so that hiding regions makes no edges.
    image = np.full((40, 60, 3), np.round(np.array(DATASET_MEAN) * 255), np.uint8)
    rows, columns = np.mgrid[:40, :60]
    image[(rows - 12) ** 2 + (columns - 45) ** 2 < 20] = 250
    best = detect(detector, image)[0]
    assert best.box[0] < 45 < best.box[2]
    assert best.box[1] < 12 < best.box[3]
    explanation = explain(
        detector, image, Target(best.box, best.label), regions=12, region_method="grid"
    )
    assert explanation.heatmap[8:17, 41:50].max() == 1
    assert explanation.heatmap[:, :30].max() < 0.5

import numpy as np
import pytest

pytest.importorskip("pycocotools")

from tools.benchmarks.causes import causal_regions  # noqa: E402
from vps.data.scenes.scenes import SceneObject  # noqa: E402


def item(cause: np.ndarray, own: np.ndarray | None = None) -> SceneObject:
    own = np.zeros_like(cause) if own is None else own
    return SceneObject("wheel", "", (0, 0, 1, 1), own, cause, 0, False)


def test_regions_half_covered_by_the_cause_count():
    cause = np.zeros((8, 8), bool)
    cause[:2, :6] = True
    labels = np.arange(8)[None, :] // 4 + 2 * (np.arange(8)[:, None] // 4)
    # The cause covers 8 of the 16 pixels of region 0, and 4 of those of region 1.
    assert causal_regions(labels, item(cause)).tolist() == [0]


def test_a_region_that_holds_the_object_does_not_count():
    cause = np.zeros((8, 8), bool)
    cause[:4] = True
    own = np.zeros((8, 8), bool)
    own[3:5, 4:] = True
    labels = np.arange(8)[None, :] // 4 + 2 * (np.arange(8)[:, None] // 4)
    assert causal_regions(labels, item(cause)).tolist() == [0, 1]
    assert causal_regions(labels, item(cause, own)).tolist() == [0]


def test_the_label_map_may_be_on_another_grid():
    cause = np.zeros((16, 16), bool)
    cause[:8, :8] = True
    labels = np.arange(4)[None, :] // 2 + 2 * (np.arange(4)[:, None] // 2)
    assert causal_regions(labels, item(cause)).tolist() == [0]

"""How different the regions of a subset are from each other: the effectiveness of SMDL."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from vps.core.regions import Regions
from vps.engine.attribution import region_means
from vps.errors import InputError

_MOST_REGIONS = 5_000  # the table of their distances has as many rows and columns


class Effectiveness:
    """e(S) = sum over a in S of the smallest distance d(a, b) to another region b in S.

    Chen et al., "Less is More: Fewer Interpretable Region via Submodular Subset Selection", ICLR
    2024. The distance lies in [0, 1]; a region that is alone is as far as can be, 1 (as in the
    authors' code), so e(S) lies in [0, |S|], and e of nothing is 0.

    The paper takes angles between what the classifier's last layer says of each region alone. A
    detector says nothing of the kind, many have no layers that one could look at, and m passes
    would be spent. So regions are compared by what can be seen of them: their mean colour (R, G, B)
    and centre (x, y in shares of the image's sides), and d is the Euclidean distance of these five
    numbers over sqrt(5). That costs no pass, and is the same for every detector, target and fill.

    Args:
        pixels: (3, h, w), RGB in [0, 1].
        regions: m of them, of the same grid.

    Raises:
        InputError: more regions than a table of distances can be kept of.
    """

    def __init__(self, pixels: Tensor, regions: Regions) -> None:
        if regions.count > _MOST_REGIONS:
            raise InputError(
                f"effectiveness compares up to {_MOST_REGIONS:,} regions with each other, got "
                f"{regions.count:,}: leave the third of the lambdas out"
            )
        self.features = region_features(pixels, regions)
        scale = np.sqrt(self.features.shape[1])
        from scipy.spatial.distance import cdist  # 28 MiB, which few ask for

        self._distances = cdist(self.features, self.features) / scale
        np.fill_diagonal(self._distances, 1)

    def __call__(self, keep: np.ndarray) -> np.ndarray:
        """(K,) float64, e of (K, m) subsets."""
        return np.array([self._nearest(row)[row].sum() for row in keep], np.float64)

    def toggled(self, keep: np.ndarray) -> np.ndarray:
        """(K, m) float64, e of (K, m) subsets with each region added or, if it is in, removed."""
        return np.array([self._toggled(row) for row in keep], np.float64).reshape(keep.shape)

    def _nearest(self, row: np.ndarray) -> np.ndarray:
        """(m,) the distance of each region to the nearest other one of a subset, or else 1."""
        return self._distances[:, row].min(axis=1, initial=1)

    def _toggled(self, row: np.ndarray) -> np.ndarray:
        inside = np.flatnonzero(row)
        if not len(inside):
            return np.ones(len(row))
        nearest, to_others = self._nearest(row), self._distances[np.ix_(inside, inside)]
        changed = nearest + np.minimum(nearest[inside, None], self._distances[inside]).sum(axis=0)
        closest, first = to_others.argmin(axis=1), nearest[inside]
        np.put_along_axis(to_others, closest[:, None], 1, axis=1)
        second = to_others.min(axis=1)
        # Those that a removed region was closest to look to the next.
        freed = np.bincount(closest, second - first, minlength=len(inside))
        changed[inside] = first.sum() - first + freed
        return changed


def region_features(pixels: Tensor, regions: Regions) -> np.ndarray:
    """(m, 5) float64 in [0, 1]: the mean R, G, B of each region, and its centre's x and y."""
    height, width = regions.label_map.shape
    y, x = (np.indices((height, width)) + 0.5) / np.array([height, width])[:, None, None]
    planes = [*pixels.detach().cpu().numpy(), x, y]
    return np.stack([region_means(plane, regions.label_map) for plane in planes], axis=1)

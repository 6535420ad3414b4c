"""D-HSIC: how far the similarity depends on whether a cell of a grid is shown."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.perturbation.grids import check_cells, grid_maps, grid_masks, size_for
from vps.methods.perturbation.masked import MaskedPasses
from vps.methods.perturbation.similarity import Compared, check_compared
from vps.methods.protocol import Attribution, MethodFamily

# scipy is imported where it is used: `import vps` is not to wait for it.

_MOST_MASKS = 5_000  # a matrix of their pairs takes 200 MB


@dataclass(frozen=True)
class DHSIC:
    """Novello, Fel & Vigouroux, "Making Sense of Dependence: Efficient Black-box Explanations Using
    Dependence Measure", NeurIPS 2022, on the similarity of D-RISE
    (`vps.methods.perturbation.similarity.Similarity`).

        a_c = HSIC(M_c, s) = tr(K_c H L H) / n^2,   H = I - 1 1^T / n,
        K_c[i, j] = 1 + 1/2 - (M_ic - M_jc)^2,   L[i, j] = exp(-(s_i - s_j)^2 / (2 d^2))

    with M_ic in {0, 1} whether mask i shows cell c of a grid, drawn by Latin hypercube sampling,
    and s_i the similarity of the image seen through it. A dependence has no sign: a cell that
    hinders the target stands as high as one that helps it.

    Two things differ from the authors' code. Its d is the median of s, which is 0 where most masks
    hide the target, and NaN with it; d is here the median of |s_i - s_j| over all pairs, and the
    standard deviation where that is 0. And hidden cells take the problem's fill.

    The cost is `masks` passes, and one for the whole image if a target is the detector's own; all
    targets share them. Memory grows with the square of the masks.

    Attributes:
        masks: n, 2 to 5,000.
        grid: cells a side, at least 2.
        objectness, similarity: see `vps.methods.perturbation.drise.DRISE`.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "d-hsic"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    masks: int = 1536
    grid: int = 7
    objectness: Literal["auto", "none"] = "auto"
    similarity: Compared = "candidates"

    def __post_init__(self) -> None:
        check_fields(self)
        check_compared(self.objectness, self.similarity)
        check_whole("masks", self.masks, 2, _MOST_MASKS)
        check_cells(self.grid)

    def planned_passes(self, problem: Problem) -> int:
        """The masks, and a look at the whole image."""
        return self.masks + 1

    def with_passes(self, passes: int) -> DHSIC:
        """As many masks as they leave beside the look at the whole image."""
        return dataclasses.replace(self, masks=min(max(passes - 1, 2), _MOST_MASKS))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        from scipy.stats import qmc

        cells = self.grid**2
        size = size_for(self.grid, problem.pixels)
        asked = MaskedPasses(
            problem,
            "D-HSIC",
            budget,
            self.masks,
            least=2,
            why="two masks at least",
            objectness=self.objectness,
            compared=self.similarity,
        )
        # Half of the draws of each cell lie above a half.
        sampler = qmc.LatinHypercube(cells, seed=np.random.default_rng(seed))
        shown = sampler.random(asked.masks) > 0.5

        def masks(numbers: range) -> Tensor:
            return grid_masks(shown[numbers.start : numbers.stop], size, problem.pixels.device)

        scores = asked.weights(masks).numpy()
        values = np.stack([dependence(shown[: asked.done], of_target) for of_target in scores.T])
        return asked.attribution(grid_maps(values, size))


def dependence(shown: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """HSIC of each of c cells and a score, see `DHSIC`.

    Args:
        shown: (n, c) bool.
        scores: (n,) float64.

    Returns:
        (c,) float64, not negative but for rounding; 0 where all scores are the same.
    """
    apart = np.abs(scores[:, None] - scores)
    width = np.median(apart[np.triu_indices(len(scores), 1)]) or scores.std()
    if width == 0:
        return np.zeros(shown.shape[1])
    kernel = np.exp(-(apart**2) / (2 * width**2))
    centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    # K_c is 3/2 where two masks agree about the cell and 1/2 where not: with signs x of -1 and 1,
    # 1 + x_i x_j / 2, of which H takes the 1 away.
    signs = np.where(shown, 1.0, -1.0)
    values: np.ndarray = (signs * (centred @ signs)).sum(axis=0) / (2 * len(scores) ** 2)
    return values

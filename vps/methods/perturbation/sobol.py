"""Sobol: how much of the variance of the similarity each cell of a grid has a part in."""

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
from vps.methods.protocol import Attribution, MethodFamily

# scipy is imported where it is used: `import vps` is not to wait for it.


@dataclass(frozen=True)
class Sobol:
    """Fel et al., "Look at the Variance! Efficient Black-box Explanations with Sobol-based
    Sensitivity Analysis", NeurIPS 2021, on the similarity of D-RISE
    (`vps.methods.perturbation.similarity.Similarity`).

        a_c = sum_j (s(A_j) - s(A_j with cell c from B_j))^2 / (2 n V)

    with A and B, n x g^2 in [0, 1], the two halves of a Sobol sequence in 2 g^2 dimensions, as
    masks whose cells show a part of the image, and V the variance of s over both: the total indices
    by Jansen's estimator. They have no sign: a cell that hinders the target stands as high as one
    that helps it.

    The sequence is scrambled, so that the seed tells; the authors' is not, and begins with masks
    that are all alike. Hidden cells take the problem's fill.

    The cost is designs * (g^2 + 2) passes, and one for the whole image if a target is the
    detector's own; all targets share them. Designs that a budget does not let end are left out.

    Attributes:
        designs: n, at least 2; a power of 2 keeps the sequence in balance.
        grid: g, cells a side, at least 2.
        objectness: see `vps.methods.perturbation.drise.DRISE`.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "sobol"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    designs: int = 32
    grid: int = 8
    objectness: Literal["auto", "none"] = "auto"

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("designs", self.designs, 2, 2**20)
        check_cells(self.grid)

    @property
    def _masks_each(self) -> int:
        return self.grid**2 + 2

    def planned_passes(self, problem: Problem) -> int:
        """The masks of all designs, and a look at the whole image."""
        return self.designs * self._masks_each + 1

    def with_passes(self, passes: int) -> Sobol:
        """As many designs as they are enough for; a coarser grid where these are fewer than 4."""
        grid = next((g for g in range(self.grid, 2, -1) if 4 * (g**2 + 2) < passes), 2)
        designs = max((passes - 1) // (grid**2 + 2), 2)
        return dataclasses.replace(self, designs=min(designs, 2**20), grid=grid)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        each = self._masks_each
        size = size_for(self.grid, problem.pixels)
        asked = MaskedPasses(
            problem,
            "Sobol",
            budget,
            self.designs * each,
            least=2 * each,
            why=f"two designs of {each} masks: set a smaller grid",
            objectness=self.objectness,
        )
        asked.masks -= asked.masks % each
        one, other = _design(asked.masks // each, self.grid**2, seed)

        def masks(numbers: range) -> Tensor:
            cells = np.stack([_mask(one, other, *divmod(number, each)) for number in numbers])
            return grid_masks(cells, size, problem.pixels.device)

        scores = asked.weights(masks).numpy()
        whole = len(scores) // each
        of_designs = scores[: whole * each].reshape(whole, each, -1)
        values = np.stack([total_indices(of_target) for of_target in of_designs.transpose(2, 0, 1)])
        return asked.attribution(grid_maps(values, size))


def total_indices(scores: np.ndarray) -> np.ndarray:
    """Total Sobol indices of c cells by Jansen's estimator, see `Sobol`.

    Args:
        scores: (n, c + 2) float64: of each design A, B and A with one cell after the other from B.

    Returns:
        (c,) float64, at least 0; all 0 where the score of A and B is always the same.
    """
    variance = scores[:, :2].var()
    if variance == 0:
        return np.zeros(scores.shape[1] - 2)
    indices: np.ndarray = ((scores[:, :1] - scores[:, 2:]) ** 2).mean(axis=0) / (2 * variance)
    return indices


def _design(designs: int, cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A and B, (n, c) each."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(2 * cells, seed=np.random.default_rng(seed))
    # A sequence begins with a whole power of 2; what comes first of it is well spread, too.
    points = sequence.random_base2((designs - 1).bit_length())[:designs]
    return points[:, :cells], points[:, cells:]


def _mask(one: np.ndarray, other: np.ndarray, design: int, number: int) -> np.ndarray:
    """(c,) A, B, or A with a cell from B, of one design."""
    if number == 1:
        return other[design]
    mask = one[design].copy()
    if number > 1:
        mask[number - 2] = other[design, number - 2]
    return mask

"""KernelSHAP: Shapley values of the regions as the solution of a weighted regression."""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.perturbation.least_squares import shared_out
from vps.methods.perturbation.subsets import ShownSubsets
from vps.methods.protocol import Attribution, Complete, MethodFamily

_DRAWS = 4  # for each subset that is wanted: small images have few that differ


@dataclass(frozen=True)
class KernelSHAP:
    """Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017,
    theorem 2.

        min over b of sum_z pi(z) (s(z) - s(0) - b.z)^2  with  sum b = s(1) - s(0),
        pi(z) = (m - 1) / (C(m, |z|) |z| (m - |z|))

    with z in {0, 1}^m the regions that are shown. Over all z, b are the Shapley values. Of more
    than the passes are enough for, as in the authors' code: sizes |z| and m - |z| are shown whole,
    from the outside in, as long as their share of the samples is enough for it, and z of the other
    sizes are drawn by their share of pi, each with its complement. The z of a size that were shown
    stand for all of that size. Each region alone, and all but each, are always shown: with fewer
    subsets, b would not be determined.

    The cost is one pass a subset that differs, for all targets together.

    Attributes:
        samples: subsets beside nothing and all; None for 2 m + 2,048, as in the authors' code.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "kernel-shap"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""
    complete: ClassVar[Complete] = Complete.REGIONS

    samples: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.samples is not None:
            check_whole("samples", self.samples, 1, 10**6)

    def planned_passes(self, problem: Problem) -> int:
        """One a subset, nothing and all, and never more than there are."""
        count = problem.regions.count
        samples = 2 * count + 2048 if self.samples is None else self.samples
        return min(samples + 2, 2**count)

    def with_passes(self, passes: int) -> KernelSHAP:
        """As many subsets as they leave beside nothing and all."""
        return dataclasses.replace(self, samples=max(passes - 2, 1))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        count, planned = problem.regions.count, self.planned_passes(problem)
        shown = ShownSubsets(
            problem,
            self.name,
            budget,
            wanted=planned,
            least=min(2 * count + 2, 2**count),
            why=f"nothing and all, and each of {count} features alone and left out: set more "
            "samples, or cut the image into fewer regions",
        )
        rng = np.random.default_rng(seed)
        ends = np.array([np.zeros(count), np.ones(count)], bool)
        subsets, times = _subsets(count, min(planned, shown.left) - 2, rng)
        keep = np.concatenate([ends, subsets])
        known = shown.show(keep, least=min(3, len(keep)))
        keep, times = keep[2:known], times[: known - 2]
        (nothing, everything), scores = shown.scores(ends), shown.scores(keep)
        sizes = keep.sum(axis=1)
        of_size = np.bincount(sizes, times, minlength=count)
        weights = times * (count - 1) / (of_size[sizes] * sizes * (count - sizes))
        values = shared_out(keep.astype(float), scores - nothing, weights, everything - nothing)
        return shown.attribution(values)


def _subsets(count: int, wanted: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(K, m) subsets that differ, K <= wanted, and (K,) how often each was drawn."""
    chosen: dict[bytes, int] = {}

    def take(rows: np.ndarray) -> None:
        for row in np.packbits(rows, axis=1):
            if row.tobytes() in chosen or len(chosen) < wanted:
                chosen[row.tobytes()] = chosen.get(row.tobytes(), 0) + 1

    # Sizes up to the half; each goes with the other that its complements have.
    small = np.arange(1, count // 2 + 1)
    share = 1 / (small * (count - small)) * np.where(2 * small == count, 1, 2)
    whole = 0
    for size in small:
        members = math.comb(count, size) * (1 if 2 * size == count else 2)
        enough = (wanted - len(chosen)) * share[size - 1] / share[size - 1 :].sum()
        if size > 1 and members > enough + 1e-8:
            break
        take(_all_of(count, int(size), rng))
        whole += 1
    draws = _DRAWS * (wanted - len(chosen)) if whole < len(small) else 0
    left = share[whole:] / share[whole:].sum() if draws else None
    for _ in range(draws):
        if len(chosen) == wanted:
            break
        row = np.zeros((1, count), bool)
        row[0, rng.permutation(count)[: rng.choice(small[whole:], p=left)]] = True
        take(np.concatenate([row, ~row]))
    packed = np.frombuffer(b"".join(chosen), np.uint8).reshape(len(chosen), -(-count // 8))
    return np.unpackbits(packed, axis=1, count=count).astype(bool), np.array([*chosen.values()])


def _all_of(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """(K, m) all subsets of a size and their complements, each once, in random order."""
    members = np.array(list(itertools.combinations(range(count), size)))
    rows = np.zeros((len(members), count), bool)
    rows[np.arange(len(members))[:, None], members] = True
    if 2 * size != count:
        rows = np.concatenate([rows, ~rows])
    return rng.permutation(rows)

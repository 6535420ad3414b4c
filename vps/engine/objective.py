"""The objective of the search: consistency and collaboration of subsets, for one target."""

from __future__ import annotations

from numbers import Real

import numpy as np

from vps.core.numbers import Lambdas
from vps.core.regions import Regions
from vps.core.scoring import BestCandidates
from vps.core.targets import Target
from vps.engine.effectiveness import Effectiveness
from vps.engine.passes import Passes
from vps.errors import InputError

_MOST = 1e6  # a weight beyond only makes numbers too large


class Objective:
    """F(S) = lambda1 * s(S) + lambda2 * (1 - s(V - S)) of subsets S of the regions V.

    s(S) = max_i IoU(b_i, b*) * p_ic over all candidates i of the image that shows S alone, in
    mode "object"; for the modes "class" and "box" see `vps.core.scoring.MODES`. The first term is
    the paper's consistency, the second its collaboration. With three lambdas, + lambda3 * e(S), the
    effectiveness of SMDL: how different the regions of S are from each other
    (`vps.engine.effectiveness.Effectiveness`).

    Args:
        source: sends subsets through the detector; objectives of one image share it.
        number: which of its targets.
        lambdas: (lambda1, lambda2) or (lambda1, lambda2, lambda3), not negative and the first two
            not both 0.

    Raises:
        InputError: lambdas out of range, or more regions than effectiveness can compare.
    """

    def __init__(self, source: Passes, number: int = 0, *, lambdas: Lambdas = (1.0, 1.0)) -> None:
        check_lambdas(lambdas)
        self.source = source
        self.number = number
        self._lambdas = lambdas
        self._diversity = lambdas[2] if len(lambdas) == 3 else 0.0
        self._effectiveness = (
            Effectiveness(source.pixels, source.regions) if self._diversity else None
        )

    @property
    def regions(self) -> Regions:
        """What the subsets are made of."""
        return self.source.regions

    @property
    def target(self) -> Target:
        """The box b* and the label c."""
        return self.source.targets[self.number]

    @property
    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """All subsets that passed, whoever asked for them, (n, m) bool, and their s (n,)."""
        return self.source.subsets, self.source.seen.score[:, self.number]

    def evaluate(self, keep: np.ndarray) -> BestCandidates[np.ndarray]:
        """(K,) s(S) of each subset and the candidate that attains it, float64.

        Args:
            keep: (K, m) bool, True where a region is shown.

        Raises:
            InputError: another shape or type.
            DetectorError: the detector breaks its contract.
        """
        return self.source.evaluate(keep)[:, self.number]

    def value(self, keep: np.ndarray) -> np.ndarray:
        """F(S) of each subset; subsets and complements share their batches.

        Args:
            keep: (K, m) bool, True where a region is shown.

        Returns:
            (K,) float64 in [0, lambda1 + lambda2 + lambda3 * m].

        Raises:
            InputError: another shape or type.
            DetectorError: the detector breaks its contract.
        """
        keep = np.asarray(keep)
        score = self.evaluate(np.concatenate([keep, ~keep])).score
        return self.combine(score[: len(keep)], score[len(keep) :], keep)

    def combine(self, shown: np.ndarray, hidden: np.ndarray, keep: np.ndarray) -> np.ndarray:
        """(K,) F of subsets (K, m) from s(S) and s(V - S), (K,) each."""
        value = self._weighed(shown, hidden)
        if self._effectiveness is None:
            return value
        return value + self._diversity * self._effectiveness(keep)

    def combine_toggled(
        self, shown: np.ndarray, hidden: np.ndarray, keep: np.ndarray
    ) -> np.ndarray:
        """(K, m) F of subsets (K, m) with one region added or removed, from s of these and of what
        they leave, (K, m) each."""
        value = self._weighed(shown, hidden)
        if self._effectiveness is None:
            return value
        return value + self._diversity * self._effectiveness.toggled(keep)

    def _weighed(self, shown: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        return self._lambdas[0] * shown + self._lambdas[1] * (1 - hidden)


def check_lambdas(lambdas: Lambdas, name: str = "lambdas") -> None:
    """Raise InputError unless these are two or three weights >= 0, the first two not both 0."""
    some = isinstance(lambdas, (tuple, list)) and len(lambdas) in (2, 3)
    usable = some and all(isinstance(x, Real) and 0 <= x <= _MOST for x in lambdas)
    if not usable or not any(lambdas[:2]):
        raise InputError(
            f"{name} must be two numbers >= 0, not both 0, or three, the third for effectiveness; "
            f"got {lambdas}"
        )

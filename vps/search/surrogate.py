"""A model of s(S), fitted to the subsets seen so far: what a pass would say, without the pass."""

from __future__ import annotations

import numpy as np

# scipy is imported where it is used: `import vps` is not to wait for it.

_AMPLITUDE = 0.1  # A, variance of the Gaussian process
_NOISE = 1e-4  # its noise variance: lets it smooth what no function of subsets could follow
_REACH = 3.0  # sum of theta
_MOST_ROWS = 1200  # of the process, whose cost grows with their cube


class Surrogate:
    """Sigmoid of a linear function plus a Gaussian process on what that leaves.

        s(x) = c (sigmoid(b + w.x) + GP),    k(x, x') = A exp(-sum_i theta_i |x_i - x'_i|)

    with x_i = 1 where region i is shown, c a little above the highest score seen, and theta_i
    larger for regions with larger |w_i|. The sigmoid carries what is known far away, the process
    what was seen nearby. The sigmoid is fitted by logistic loss with a ridge towards the prior, the
    process by Cholesky factorisation.

    Args:
        prior: (m,) guess of the regions' importance, not negative, with a positive sum.
    """

    def __init__(self, prior: np.ndarray) -> None:
        self._centre = np.append(8 * prior / prior.sum(), -4.0)
        self._beta = self._centre.copy()

    def fit(self, keep: np.ndarray, scores: np.ndarray, near: np.ndarray | None = None) -> None:
        """Fit to what was seen.

        Args:
            keep: (n, m) bool, subsets.
            scores: (n,) their s, in [0, 1].
            near: (K, m) bool, subsets around which predictions are wanted: where there are too
                many rows, the process keeps those with the largest covariance with any of these.
        """
        x = keep.astype(np.float64)
        # In units of the highest score: a faint target is searched like a bright one.
        self._ceiling = 1.05 * scores.max() if scores.max() > 0 else 1.0
        scores = scores / self._ceiling
        self._fit_sigmoid(x, scores)
        weight = np.abs(self._beta[:-1])
        weight = weight + 0.15 * weight.mean()
        self._theta = _REACH * weight / weight.sum()
        if near is not None and len(x) > _MOST_ROWS:
            closest = self._covariance(near.astype(np.float64), x).max(axis=0)
            chosen = np.sort(np.argsort(-closest, kind="stable")[:_MOST_ROWS])
            x, scores = x[chosen], scores[chosen]
        self._x = x
        self._residual = scores - self._far(x)
        covariance = self._covariance(x, x)
        covariance[np.diag_indices_from(covariance)] += _NOISE
        self._factor = np.linalg.cholesky(covariance)
        self._solve()

    def extend(self, keep: np.ndarray, scores: np.ndarray) -> None:
        """Add (K, m) subsets and their scores (K,) to the process, whose shape stays as it is."""
        from scipy.linalg import solve_triangular

        x = keep.astype(np.float64)
        cross = solve_triangular(
            self._factor, self._covariance(self._x, x), lower=True, check_finite=False
        )
        corner = self._covariance(x, x) - cross.T @ cross
        corner[np.diag_indices_from(corner)] += _NOISE
        count = len(self._x)
        self._factor = np.pad(self._factor, (0, len(x)))
        self._factor[count:, :count] = cross.T
        self._factor[count:, count:] = np.linalg.cholesky(corner)
        self._x = np.concatenate([self._x, x])
        rest = scores / self._ceiling - self._far(x)
        self._residual = np.concatenate([self._residual, rest])
        self._solve()

    def toggled(self, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predicted s of subsets, and of these with one region shown or hidden instead.

        Args:
            keep: (K, m) bool.

        Returns:
            (K,) for the subsets, (K, m) for region a toggled.
        """
        x = keep.astype(np.float64)
        logit = x @ self._beta[:-1] + self._beta[-1]
        part = self._covariance(x, self._x) * self._alpha
        # The kernel is a product over regions: to toggle one is to change one factor.
        total = part.sum(axis=1)
        ones = part @ self._x
        same = np.where(keep, ones, total[:, None] - ones)
        nearby = same * np.exp(-self._theta) + (total[:, None] - same) * np.exp(self._theta)
        changed = logit[:, None] + (1 - 2 * x) * self._beta[:-1]
        return self._ceiling * (_sigmoid(logit) + total), self._ceiling * (
            _sigmoid(changed) + nearby
        )

    @property
    def ceiling(self) -> float:
        """c, the scale of all scores; of the last fit."""
        return self._ceiling

    def _fit_sigmoid(self, x: np.ndarray, y: np.ndarray) -> None:
        """Newton steps from the last fit, on y in [0, 1)."""
        design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        ridge = np.full(design.shape[1], 0.3)
        ridge[-1] = 0.01
        for _ in range(8):
            p = _sigmoid(design @ self._beta)
            gradient = design.T @ (p - y) + ridge * (self._beta - self._centre)
            hessian = (design.T * (p * (1 - p))) @ design + np.diag(ridge)
            step = np.linalg.solve(hessian, gradient)
            # A full step may overshoot where the sigmoid is flat.
            self._beta = self._beta - step * min(1.0, 4.0 / max(np.abs(step).max(), 1e-12))
            if np.abs(step).max() < 1e-3:
                break

    def _far(self, x: np.ndarray) -> np.ndarray:
        """(n,) what the sigmoid alone says, in units of c."""
        values: np.ndarray = _sigmoid(x @ self._beta[:-1] + self._beta[-1])
        return values

    def _covariance(self, x: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(K, n) of (K, m) and (n, m) subsets."""
        # For 0 and 1, |x - x'| = x + x' - 2 x x'.
        distance = (
            (x @ self._theta)[:, None] + other @ self._theta - 2 * (x * self._theta) @ other.T
        )
        covariance: np.ndarray = _AMPLITUDE * np.exp(-np.maximum(distance, 0))
        return covariance

    def _solve(self) -> None:
        from scipy.linalg import cho_solve

        self._alpha = cho_solve((self._factor, True), self._residual, check_finite=False)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    values: np.ndarray = (1 + np.tanh(x / 2)) / 2
    return values

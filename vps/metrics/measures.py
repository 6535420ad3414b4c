"""All metrics of one explanation, by the names of `vps.metrics.METRICS`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vps.core.targets import Box
from vps.errors import InputError
from vps.metrics.lookup import metrics_asked
from vps.metrics.measured import Fidelity, Measured
from vps.metrics.settings import REPAIR_SHARES, MetricSettings
from vps.results.explanation import Explanation
from vps.results.repair import Repair

_ROUNDING = 1e-6  # by which a sum may leave the range of its metric


def measure(
    explanation: Explanation,
    *,
    truth_box: Box | None = None,
    mask: np.ndarray | None = None,
    fidelity: Fidelity | tuple[np.ndarray, np.ndarray] | None = None,
    repair: Repair | None = None,
    repair_shares: Sequence[float] = REPAIR_SHARES,
    settings: MetricSettings | None = None,
) -> dict[str, float]:
    """All metrics of one explanation.

    Args:
        explanation: by any method.
        truth_box, mask, fidelity, repair, repair_shares: what else is known of the case, see
            `vps.metrics.measured.Measured`.
        settings: of the metrics.

    Returns:
        Finite values by name, in the order of `vps.metrics.METRICS`. What does not apply is absent:
        normalised areas and smallest sets where the whole image scores 0, a necessary set where
        hiding everything leaves too much of the score, pointing games at a box or mask without a
        pixel, mu-fidelity without subsets or where it is not defined, all of repairs where none was
        looked for, and "repair_area" where nothing was found.

    Raises:
        InputError: a mask of another size than the image, subsets of other regions, or values that
            are not finite or outside the range of their metric.
    """
    settings = MetricSettings() if settings is None else settings
    one = Measured(explanation, truth_box, mask, fidelity, repair, tuple(repair_shares), settings)
    metrics = metrics_asked(one)
    found = {name: metric.function(one) for name, metric in metrics.items()}
    values = {name: float(value) for name, value in found.items() if value is not None}
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        raise InputError(f"the explanation holds NaN or infinity; not finite: {', '.join(wrong)}")
    for name, value in values.items():
        low, high = metrics[name].range
        if not low - _ROUNDING <= value <= high + _ROUNDING:
            raise InputError(
                f"{name} is {value:.6g}, outside its range of {low:g} to {high:g}: the explanation "
                "holds scores or areas outside [0, 1], or the metric has another range than it says"
            )
    return values

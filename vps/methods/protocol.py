"""What a method that we compare with owes: a map for each target of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Maps:
    """The attribution maps of a problem.

    Attributes:
        values: (T, h, w) float32, one map a target on the detector's grid; higher is more
            important, any finite scale.
        passes: how many images went through the detector, for all T together.
    """

    values: np.ndarray
    passes: int


Method = Callable[..., Maps]
"""`method(problem, *, seed, **options)`: one map for each target of a problem.

The same seed gives the same maps. What a method can be set to is its keyword arguments beyond
`seed`, all with defaults and type hints; `Annotated` hints may add a `vps.methods.options.Limit`.
"""

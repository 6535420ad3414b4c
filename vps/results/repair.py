"""What hiding a part of an image repairs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Repair:
    """What a method found to hide so that a failure goes away.

    Attributes:
        regions: ascending; none at all where hiding nothing attains the goal already.
            None where nothing was found.
        area: the share of the image that they cover; None where nothing was found.
        found_score: with them hidden, the score of the target's detection; likewise.
        passes: that it took, those of maps and of orders included.
        exact: it is known that no set of fewer regions does the same.
        fills: whether the same regions repair under other fills, too, by their names; the fill that
            was searched with comes first, and is True. Empty where nothing is hidden.
        beside_area: the least share of the image that repairs without touching the object, see
            `vps.sets.hiding.touches`; None where nothing such was found, or where the target is a
            false box, which no object is behind.
    """

    regions: tuple[int, ...] | None
    area: float | None
    found_score: float | None
    passes: int
    exact: bool = False
    fills: dict[str, bool] = field(default_factory=dict, hash=False)
    beside_area: float | None = None

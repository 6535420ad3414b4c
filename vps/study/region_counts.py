"""How many regions each case of a study gets: one number, or numbers by the kind of case."""

from __future__ import annotations

from collections.abc import Mapping

from vps.core.names import choose
from vps.core.targets import Kind
from vps.engine.cutting import check_region_count
from vps.errors import InputError

RegionCounts = int | dict[str, int]
"""A number, or a number for each kind of case: keys are values of `vps.core.targets.Kind`, and
"other" for the kinds that are not named."""

OTHER = "other"


def check_region_counts(counts: RegionCounts, name: str) -> None:
    """Refuse numbers that cannot be, and mappings that leave a kind without one.

    Raises:
        InputError: a number out of range, a kind that is none, or kinds without a number.
    """
    if not isinstance(counts, Mapping):
        check_region_count(counts, name)
        return
    kinds = dict.fromkeys([*(kind.value for kind in Kind), OTHER])
    for kind, count in counts.items():
        choose(kinds, kind, f"kind of {name}")
        check_region_count(count, f"{name}.{kind}")
    left = [kind for kind in kinds if kind != OTHER and kind not in counts]
    if left and OTHER not in counts:
        raise InputError(f"{name} has no number for {', '.join(left)}: add one for {OTHER!r}")


def region_count(counts: RegionCounts, kind: Kind) -> int:
    """The number for a kind of case.

    >>> region_count({"missed": 50, "other": 64}, Kind.CORRECT)
    64
    """
    if not isinstance(counts, Mapping):
        return counts
    return counts[kind.value if kind.value in counts else OTHER]


def most_regions(counts: RegionCounts) -> int:
    """The highest of the numbers."""
    return max(counts.values()) if isinstance(counts, Mapping) else counts

"""Names of the classes of a detector, as a user gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vps.errors import InputError


def numbered_labels(labels: Sequence[str] | Mapping[int, str]) -> dict[int, str]:
    """The names of classes by their numbers: from 0 on, unless a mapping says otherwise.

    Raises:
        InputError: none, one string, or names that are not different.
    """
    names = list(labels.values() if isinstance(labels, Mapping) else labels or ())
    if isinstance(labels, str) or not names or len(set(names)) != len(names):
        raise InputError(f"labels must be different names, at least one; got {labels!r}")
    return dict(labels) if isinstance(labels, Mapping) else dict(enumerate(names))

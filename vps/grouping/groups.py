"""Failures of a kind and class, clustered by the words of their repairs, with names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vps.core.extras import require
from vps.data.sample import Id

_TELLING = 3  # words in a name, at most
_SHARED = 0.6  # of a group that must have a word in its name
_APART = 1.6  # distance up to which clusters merge: about two words of six


@dataclass(frozen=True)
class Failed:
    """A failure, and what is hidden to repair it.

    Attributes:
        dataset, image_id, case: which.
        kind, label: of it.
        words: `vps.grouping.words.repair_words`; empty where no repair was found.
        area: share of the image that is hidden.
        picture: of the explanation, from the study's folder.
    """

    dataset: str
    image_id: Id
    case: str
    kind: str
    label: str
    words: tuple[str, ...] = ()
    area: float = 0.0
    picture: str | None = None


@dataclass(frozen=True)
class Group:
    """Failures of one kind and class that the same sort of hiding repairs.

    Attributes:
        kind, label: of the failures.
        words: the most telling: those that most of the group have, and few of the others.
        total: failures of that kind and class, repaired or not.
        members: the group: the one in its middle first, the one farthest from it last.
    """

    kind: str
    label: str
    words: tuple[str, ...]
    total: int
    members: tuple[Failed, ...]

    @property
    def sentence(self) -> str:
        """What it says, for people, e.g. "3 of 9, missed, chair: hiding table, beside it"."""
        what = ", ".join(self.words) or "something, of no one sort,"
        kind = self.kind.replace("_", " ")
        return (
            f"{len(self.members)} of {self.total}, {kind}, {self.label}: hiding {what} repairs it"
        )


def group_failures(failures: Sequence[Failed], *, least: int = 2) -> list[Group]:
    """Cluster the repairs of each kind and class of failure.

    Words are columns of 0 and 1, each word of an object counted twice; clusters by average linkage
    of Euclidean distances (scikit-learn's `AgglomerativeClustering`), merged while they are less
    than about two words apart. A name has the words that at least 60 % of the group have, those
    with the greatest lead over all other repairs first.

    Args:
        failures: of a study.
        least: members of a group.

    Returns:
        The groups, the largest first; failures without a repair count in totals only.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    by_class: dict[tuple[str, str], list[Failed]] = defaultdict(list)
    for one in failures:
        by_class[one.kind, one.label].append(one)
    repaired = [one for one in failures if one.words]
    groups = []
    for (kind, label), own in by_class.items():
        cured = [one for one in own if one.words]
        for members in _clusters(cured):
            if len(members) >= least:
                words = _telling(members, repaired)
                groups.append(Group(kind, label, words, len(own), tuple(members)))
    return sorted(groups, key=lambda one: (-len(one.members), one.kind, one.label, one.words))


def _clusters(cured: Sequence[Failed]) -> list[list[Failed]]:
    """Clusters, each from its middle to its edge."""
    if len(cured) < 2:
        return [list(cured)] if cured else []
    table = _table([one.words for one in cured])
    cluster: Any = require("sklearn.cluster", extra="groups").AgglomerativeClustering(
        n_clusters=None, distance_threshold=_APART, linkage="average"
    )
    found: dict[Hashable, list[int]] = defaultdict(list)
    for place, number in enumerate(cluster.fit_predict(table).tolist()):
        found[number].append(place)
    clusters = []
    for places in found.values():
        rows = table[places]
        apart = np.linalg.norm(rows[:, None] - rows[None], axis=2).sum(axis=1)
        clusters.append([cured[places[k]] for k in np.argsort(apart, kind="stable")])
    return clusters


def _table(words: Sequence[tuple[str, ...]]) -> np.ndarray:
    """(n, k) float64, a column a word; the first word, the object, counts twice."""
    names = sorted({(place, word) for own in words for place, word in enumerate(own)})
    return np.array(
        [
            [(own[place] == word) * (np.sqrt(2) if place == 0 else 1.0) for place, word in names]
            for own in words
        ]
    )


def _telling(members: Sequence[Failed], repaired: Sequence[Failed]) -> tuple[str, ...]:
    """The words of a group's name."""
    ids = {id(one) for one in members}
    rest = [one for one in repaired if id(one) not in ids]

    def share(word: str, among: Sequence[Failed]) -> float:
        return sum(word in one.words for one in among) / len(among) if among else 0.0

    words = dict.fromkeys(word for one in members for word in one.words)
    common = [word for word in words if share(word, members) >= _SHARED]
    ordered = sorted(common, key=lambda word: share(word, rest) - share(word, members))
    # The object before where it is, as people say it.
    chosen = ordered[:_TELLING]
    return tuple(word for word in common if word in chosen)

"""The class x class table: on which other classes' objects the detections of a class lean."""

from __future__ import annotations

import dataclasses
import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vps.core.numbers import check_range, check_whole
from vps.core.targets import Kind
from vps.metrics.aggregate import Interval, mean_intervals
from vps.reliance.facts import CaseFacts, OtherObjects
from vps.reliance.statistics import above_zero, adjusted


@dataclass(frozen=True)
class RelianceSettings:
    """How the table is made.

    Attributes:
        least_images: an entry of fewer images is listed, not tested: the sign test of n images
            cannot give less than 2^-n.
        level: of the false discovery rate, in (0, 1); intervals are of 1 - level.
        draws, seed: of the bootstrap over images, and of the tests.

    Raises:
        InputError: a value out of range.
    """

    least_images: int = 5
    level: float = 0.05
    draws: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("least_images", self.least_images, 2, 10**6)
        check_range("level", self.level, low=1e-6, high=1 - 1e-6)
        check_whole("draws", self.draws, 1, 100_000)
        check_whole("seed", self.seed, 0, 2**63)


class RelianceVerdict(str, enum.Enum):
    """What is known of an entry."""

    VERIFIED = "verified"
    EVIDENCE = "evidence only"
    EFFECT = "effect only"
    CHANCE = "as by chance"
    FEW = "too few images"


VERDICTS = {
    RelianceVerdict.VERIFIED: "more evidence than by chance, and hiding costs more than elsewhere",
    RelianceVerdict.EVIDENCE: "more evidence than by chance, hiding costs no more than elsewhere",
    RelianceVerdict.EFFECT: "no more evidence than by chance, hiding costs more than elsewhere",
    RelianceVerdict.CHANCE: "neither differs from chance",
    RelianceVerdict.FEW: "not tested",
}
"""What each says."""


@dataclass(frozen=True)
class Entry:
    """What detections of `label` have to do with objects of `other` beside them.

    Attributes:
        label: of the detections.
        other: of the annotated objects.
        cases: detections with such an object in their image; all means are over these.
        images: of them.
        share: mean share of the evidence that lies in the objects.
        chance: the mean that random orders would give.
        excess: their difference, with its interval over images.
        usual: the mean that would be there if these detections drew as much evidence from a pixel
            of such an object as those of all other classes do beside one; None without any.
        together: share of the images with a detection of `label` in which there is an `other`.
        anywhere: share of all images in which there is one.
        measured: cases whose `other` was hidden.
        fall: mean share of s that is lost with them hidden; None without such a case.
        fall_elsewhere: mean share lost with as much hidden elsewhere.
        effect: their difference, with its interval over images.
        p_evidence, p_effect: of excess and effect, by `vps.reliance.statistics.above_zero`; None
            where that was not tested.
        q_evidence, q_effect: the same over all entries tested (`adjusted`).
        verdict: of all this.
    """

    label: str
    other: str
    cases: int
    images: int
    share: float
    chance: float
    excess: Interval
    usual: float | None
    together: float
    anywhere: float
    measured: int = 0
    fall: float | None = None
    fall_elsewhere: float | None = None
    effect: Interval | None = None
    p_evidence: float | None = None
    p_effect: float | None = None
    q_evidence: float | None = None
    q_effect: float | None = None
    verdict: RelianceVerdict = RelianceVerdict.FEW

    @property
    def lift(self) -> float:
        """How much more often an `other` is there than in all images."""
        return self.together / self.anywhere


class _Pair(NamedTuple):
    """A case, its image as a number, and what is known of the other objects of one label."""

    facts: CaseFacts
    image: int
    other: OtherObjects

    @property
    def falls(self) -> tuple[float, float] | None:
        """Shares of s lost with the objects hidden, and with as much hidden elsewhere."""
        if self.other.hidden is None or not self.facts.score > 0:
            return None
        elsewhere = float(np.mean(self.other.elsewhere))
        return 1 - self.other.hidden / self.facts.score, 1 - elsewhere / self.facts.score


def reliance_table(
    facts: Iterable[CaseFacts], settings: RelianceSettings | None = None
) -> list[Entry]:
    """On which other objects the correct detections of each class lean.

    Verified is an entry whose excess of evidence and whose effect are both positive at the false
    discovery rate of the settings, over all entries of enough images, and whose share is above what
    detections of other classes draw from such objects.

    Args:
        facts: of the cases of one data set; those that are no correct detection, or whose map is
            without evidence, are left out.
        settings: of tests and intervals.

    Returns:
        All pairs of classes that were seen together: the verified ones first, by effect, then the
        others, by verdict and excess.
    """
    settings = settings or RelianceSettings()
    used = [one for one in facts if one.kind == Kind.CORRECT.value and one.own is not None]
    numbers: dict[object, int] = {}
    pairs: dict[tuple[str, str], list[_Pair]] = defaultdict(list)
    with_label: dict[str, set[int]] = defaultdict(set)
    with_other: dict[str, set[int]] = defaultdict(set)
    for one in used:
        image = numbers.setdefault((one.dataset, one.image_id), len(numbers))
        with_label[one.label].add(image)
        for label, other in one.others.items():
            with_other[label].add(image)
            pairs[one.label, label].append(_Pair(one, image, other))
    sums = _sums(pairs)
    entries = [
        _entry(
            key,
            found,
            _usual(key, found, sums),
            len(with_label[key[0]] & with_other[key[1]]) / len(with_label[key[0]]),
            len(with_other[key[1]]) / len(numbers),
            settings,
        )
        for key, found in pairs.items()
    ]
    return sorted(_judged(entries, settings), key=_rank)


def _sums(pairs: dict[tuple[str, str], list[_Pair]]) -> dict[tuple[str, str], np.ndarray]:
    """(evidence, area) of each entry, summed over its cases."""
    return {
        key: np.sum([(pair.other.share, pair.other.area) for pair in found], axis=0)
        for key, found in pairs.items()
    }


def _usual(
    key: tuple[str, str], found: Sequence[_Pair], sums: dict[tuple[str, str], np.ndarray]
) -> float | None:
    """See `Entry.usual`."""
    rest = [own for (label, other), own in sums.items() if other == key[1] and label != key[0]]
    evidence, area = np.sum(rest, axis=0) if rest else (0.0, 0.0)
    if not area > 0:
        return None
    return float(evidence / area * sums[key][1] / len(found))


def _entry(
    key: tuple[str, str],
    found: Sequence[_Pair],
    usual: float | None,
    together: float,
    anywhere: float,
    settings: RelianceSettings,
) -> Entry:
    """An entry without what needs all others."""
    images = np.array([pair.image for pair in found])
    shares = np.array([(pair.other.share, pair.other.chance) for pair in found])
    over = shares[:, 0] - shares[:, 1]
    enough = len(set(images.tolist())) >= settings.least_images
    entry = Entry(
        label=key[0],
        other=key[1],
        cases=len(found),
        images=len(set(images.tolist())),
        share=float(shares[:, 0].mean()),
        chance=float(shares[:, 1].mean()),
        excess=_interval(over, images, settings),
        usual=usual,
        together=together,
        anywhere=anywhere,
        p_evidence=above_zero(over, images, settings.seed) if enough else None,
    )
    falls = [(pair.image, *pair.falls) for pair in found if pair.falls is not None]
    if not falls:
        return entry
    where, own, elsewhere = (np.array(column) for column in zip(*falls, strict=True))
    tested = enough and len(set(where.tolist())) >= settings.least_images
    return dataclasses.replace(
        entry,
        measured=len(falls),
        fall=float(own.mean()),
        fall_elsewhere=float(elsewhere.mean()),
        effect=_interval(own - elsewhere, where, settings),
        p_effect=above_zero(own - elsewhere, where, settings.seed) if tested else None,
    )


def _interval(values: np.ndarray, images: np.ndarray, settings: RelianceSettings) -> Interval:
    (found,) = mean_intervals(
        values[:, None], images, draws=settings.draws, level=1 - settings.level, seed=settings.seed
    )
    assert found is not None  # there is a case
    return found


def _judged(entries: Sequence[Entry], settings: RelianceSettings) -> list[Entry]:
    """The entries with q over all that were tested, and with verdicts."""
    q_values: dict[str, dict[int, float]] = {}
    for name in ("p_evidence", "p_effect"):
        given = {
            place: p
            for place, entry in enumerate(entries)
            if (p := getattr(entry, name)) is not None
        }
        q_values[name] = dict(zip(given, adjusted(list(given.values())), strict=True))
    judged = []
    for place, entry in enumerate(entries):
        evidence = q_values["p_evidence"].get(place)
        effect = q_values["p_effect"].get(place)
        entry = dataclasses.replace(entry, q_evidence=evidence, q_effect=effect)
        judged.append(dataclasses.replace(entry, verdict=_verdict(entry, settings.level)))
    return judged


def _verdict(entry: Entry, level: float) -> RelianceVerdict:
    if entry.q_evidence is None:
        return RelianceVerdict.FEW
    more = entry.q_evidence <= level and (entry.usual is None or entry.share > entry.usual)
    costs = entry.q_effect is not None and entry.q_effect <= level
    if more:
        return RelianceVerdict.VERIFIED if costs else RelianceVerdict.EVIDENCE
    return RelianceVerdict.EFFECT if costs else RelianceVerdict.CHANCE


def _rank(entry: Entry) -> tuple[int, float, str, str]:
    first = entry.verdict is RelianceVerdict.VERIFIED and entry.effect is not None
    worth = entry.effect.mean if first and entry.effect is not None else entry.excess.mean
    return list(RelianceVerdict).index(entry.verdict), -worth, entry.label, entry.other

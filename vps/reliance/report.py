"""All that `vps reliance` writes, and what it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vps.core.file_names import safe_name
from vps.core.targets import Kind
from vps.errors import InputError
from vps.metrics.aggregate import Interval
from vps.reliance.facts import CaseFacts
from vps.reliance.files import write_tables
from vps.reliance.heat_map import draw_reliance
from vps.reliance.means import ClassMeans, class_means
from vps.reliance.page import write_reliance_page
from vps.reliance.study import CaseRecord
from vps.reliance.table import Entry, RelianceSettings, RelianceVerdict, reliance_table
from vps.report.tables.gallery import RELIANCE_PAGE
from vps.report.tables.plots import save_plot
from vps.study.config import StudyConfig


@dataclass(frozen=True)
class RelianceReport:
    """What was found.

    Attributes:
        page: where the page lies.
        tables: of each data set.
        means: likewise; empty where no detection is correct.
        failed: why cases failed, a line each.
        remarks: what else is worth knowing.
        passes: taken for the facts, and by the study's explanations of the same cases.
    """

    page: Path
    tables: dict[str, list[Entry]]
    means: dict[str, list[ClassMeans]]
    failed: list[str]
    remarks: list[str]
    passes: tuple[int, float]

    def lines(self, most: int) -> Iterator[str]:
        """What is printed: the first entries of each table, and where the rest is."""
        for name, entries in self.tables.items():
            yield from _survival(name, self.means[name])
            tested = [entry for entry in entries if entry.verdict is not RelianceVerdict.FEW]
            found = [entry for entry in tested if entry.verdict is not RelianceVerdict.CHANCE]
            verified = sum(entry.verdict is RelianceVerdict.VERIFIED for entry in tested)
            few = len(entries) - len(tested)
            yield (
                f"{name}: {len(entries)} pairs of classes, {few} of them in too few images to be "
                f"tested; {verified} verified"
            )
            for entry in found[:most]:
                yield f"  {sentence(entry)}"
            if len(found) > most:
                yield f"  and {len(found) - most} more"
        yield from self.remarks
        if self.failed:
            yield f"{len(self.failed)} cases failed, e.g. {self.failed[0]}"
        taken, spent = self.passes
        share = f", {taken / spent:.1%} of those of the study" if spent else ""
        yield f"{taken} passes{share}"
        yield f"-> {self.page}"


def reliance_report(
    config: StudyConfig,
    records: Sequence[CaseRecord],
    method: str,
    settings: RelianceSettings,
    remarks: Sequence[str] = (),
) -> RelianceReport:
    """Write tables, heat maps and page into the folder of a study.

    Args:
        config: of the study.
        records: of its cases.
        method: whose maps were read.
        settings: of the tables.
        remarks: of what was left out.

    Raises:
        InputError: the study has no results.
        OutputError: a file cannot be written.
    """
    if not records:
        raise InputError(
            f"{config.out} holds no results of the method {method}: run `vps study` first"
        )
    out = Path(config.out)
    facts = [record.facts for record in records if record.facts is not None]
    failed = [f"{record.task}: {record.error}" for record in records if record.facts is None]
    names = dict.fromkeys(record.task.dataset for record in records)
    own = {name: [one for one in facts if one.dataset == name] for name in names}
    notes = [*remarks, *(note for name in names for note in _doubts(name, own[name]))]
    tables = {name: reliance_table(own[name], settings) for name in names}
    means = {name: class_means(own[name], settings) for name in names}
    passes = sum(one.passes for one in facts), sum(record.spent for record in records)
    plots = {}
    for name, entries in tables.items():
        figure = draw_reliance(entries)
        if figure is not None:
            plots[name] = save_plot(figure, out / "plots" / f"reliance_{safe_name(name)}")
    about = {"method": method, "passes": passes[0], "passes_of_study": passes[1], "notes": notes}
    write_tables(out, tables, records, settings, about)
    page = write_reliance_page(
        out / RELIANCE_PAGE,
        config.name,
        tables,
        means,
        records,
        settings,
        method=method,
        notes=notes,
        plots=plots,
    )
    return RelianceReport(page, tables, means, failed, notes, passes)


def sentence(entry: Entry) -> str:
    """What an entry says, for people."""
    text = (
        f"{entry.label} on {entry.other}: {entry.share:.0%} of the evidence (by chance "
        f"{entry.chance:.0%})"
    )
    if entry.effect is not None and entry.fall is not None and entry.fall_elsewhere is not None:
        text += (
            f"; hidden, the score falls by {entry.fall:.0%}, with as much hidden elsewhere by "
            f"{entry.fall_elsewhere:.0%} (difference {interval_text(entry.effect)})"
        )
    many = "1 detection" if entry.cases == 1 else f"{entry.cases} detections"
    return f"{text}; {many}, {entry.images} images: {entry.verdict.value}"


def interval_text(found: Interval) -> str:
    """A share with its interval."""
    return f"{found.mean:.0%}, {found.low:.0%} to {found.high:.0%}"


def _survival(name: str, means: Sequence[ClassMeans]) -> Iterator[str]:
    if not means:
        yield f"{name}: no correct detection, so nothing to lean"
        return
    own, alone, around = (means[0].means[key] for key in ("own", "alone_found", "around_found"))
    if own is not None and alone is not None and around is not None:
        yield (
            f"{name}: {means[0].cases} correct detections; {own.mean:.0%} of the evidence lies in "
            f"the object; {alone.mean:.0%} survive with only the object shown, "
            f"{around.mean:.0%} with only the surroundings"
        )


def _doubts(name: str, facts: Sequence[CaseFacts]) -> Iterator[str]:
    correct = [one for one in facts if one.kind == Kind.CORRECT.value]
    bare = sum(not one.masked for one in correct)
    if bare:
        yield (
            f"{name}: {bare} of {len(correct)} objects have no mask: what lies in their box counts "
            "as theirs"
        )
    if correct and not any(one.others for one in correct):
        yield f"{name}: no other object is annotated beside any detection: there is no table"
    blind = sum(one.own is None for one in correct)
    if blind:
        yield f"{name}: {blind} of {len(correct)} maps are constant and have no evidence"

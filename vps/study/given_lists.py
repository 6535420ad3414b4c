"""The lists of VPS and PhaseWin in studies: joined to the data set once, and kept as ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vps.core.detector import Detector, TokenReader
from vps.core.schema import to_plain
from vps.data.cases.asking import Vocabulary
from vps.data.cases.cases import CaseList
from vps.data.cases.joining import join_entries
from vps.data.cases.looking import skip_note
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut
from vps.data.readers.files import checked_format, existing_file, read_json
from vps.data.readers.vps_list import SECTIONS, read_entries
from vps.errors import InputError
from vps.study.config import StudyConfig


def is_ours(path: Path) -> bool:
    """Whether a file is a list that this project has written; else it is one of VPS or PhaseWin.

    Raises:
        InputError: it is missing, or no JSON.
    """
    existing_file(path, "list of cases")
    with checked_format(path, "the form of a list of cases"):
        content = read_json(path)
    return isinstance(content, dict) and "version" in content


def joined_list(config: StudyConfig, dataset: Dataset, load: Callable[[], Detector]) -> CaseList:
    """The list that the config names for a data set, joined to it.

    The detector makes no pass: it is loaded for its labels, or, where each phrase is asked alone,
    only if classes are given as token positions.

    Args:
        config: of the study.
        dataset: of the study, under its name there.
        load: gives the detector; called several times, if at all.

    Raises:
        InputError: no such list or section, a data set or detector that cannot be used, or no entry
            of the list that can be joined; with `run.strict`, the first entry that cannot.
    """
    settings = config.datasets[dataset.name]
    path = Path(settings.cases or "")
    left_out = LeftOut(path.name, strict=config.run.strict)
    section, entries = read_entries(
        path, left_out, section=settings.section, label_of=_label_of(load)
    )
    kinds = SECTIONS[section]
    kind = kinds.phrase if dataset.grounding else kinds.object
    labels = () if dataset.grounding else tuple(load().labels)
    cases = join_entries(
        entries,
        dataset,
        kind,
        left_out,
        labels=labels,
        rename=settings.rename,
        target=config.select.target,
    )
    remarks = [*left_out.lines(), *_remarks(dataset, labels, settings.rename)]
    if not cases:
        why = "; ".join(remarks) or "it has no entries"
        raise InputError(f"no case of {path}, section {section}, can be used: {why}")
    return CaseList(
        dataset=dataset.name,
        detector=load().name if labels else config.detector.name,
        labels=labels,
        settings={
            "list": path.name,
            "section": section,
            "target": config.select.target or "truth",
            "rename": to_plain(settings.rename),
        },
        counts={kind.value: len(entries)},
        cases=cases,
        skipped=tuple(skip_note(line) for line in remarks),
    )


def _label_of(load: Callable[[], Detector]) -> Callable[[str, tuple[int, ...]], str]:
    def label_of(caption: str, positions: tuple[int, ...]) -> str:
        detector = load()
        if not isinstance(detector, TokenReader):
            raise InputError(
                f"its class is given as token positions, and {detector.name} reads no captions"
            )
        return detector.label_at(caption, positions)

    return label_of


def _remarks(dataset: Dataset, labels: tuple[str, ...], rename: dict[str, str]) -> list[str]:
    remarks = dataset.left_out.lines()
    if labels:
        remarks += Vocabulary.between(labels, dataset.labels, rename).remarks(rename)
    return remarks

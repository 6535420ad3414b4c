"""A study from its config to its tables, and its report from the folders of its results."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm.auto import tqdm

from vps.data.cases.cases import CaseList
from vps.engine.attribution import OURS
from vps.errors import InputError, one_line
from vps.report.progress import disabled
from vps.report.tables.results import StudyResults, results_of
from vps.report.tables.rows import Failure, Row
from vps.report.tables.study import write_report
from vps.study.config import StudyConfig
from vps.study.exports import export_folder, export_results
from vps.study.finished import config_of
from vps.study.inputs import check_regions, draw_scenes
from vps.study.lists import find_lists, read_list
from vps.study.plan import parse_shard
from vps.study.progress import case_bar
from vps.study.run import run
from vps.study.store import ResultRecord, Store, facts_of

RANK = ("done", "failed", "skipped", "missing")


def run_study(
    config: StudyConfig, loader: str, *, shard: str | None = None, quiet: bool = False
) -> int:
    """Select the cases, explain and measure them, and write the report.

    Started again, it does what is missing. With a shard there is no report: `report_study` makes
    it once all are there.

    Args:
        config: of the study.
        loader: "module:function", see `vps.study.inputs.load_detector`.
        shard: "i/n", part i of n.
        quiet: no progress bars.

    Returns:
        The exit status: 0, or 1 where cases failed.

    Raises:
        InputError: data, detector or settings that cannot be used, or nothing was selected.
        OutputError: a result cannot be written.
    """
    part = None if shard is None else parse_shard(shard)
    # First of all, so that a folder that cannot be written is told before hours are spent.
    config.save(Path(config.out) / "config.yaml")
    check_regions(config)
    lists = select(config, loader, quiet=quiet)
    for name, cases in lists.items():
        for remark in cases.remarks:
            print(f"{name}: {remark}")
    with case_bar(config.name, quiet=quiet) as show:
        summary = run(config, lists, loader=loader, shard=part, show=show)
    print(
        f"{config.name}: {summary.done} of {summary.planned} cases done, {summary.failed} failed, "
        f"{summary.skipped} skipped"
    )
    if summary.failed or summary.skipped:
        print(f"why stands in the *.error.json below {config.out}/cases")
    if config.run.export is not None:
        count = export_results(config, lists, part)
        print(f"{count} results as files of VPS below {export_folder(config)}")
    if part is None:
        print(report_study([config.out]))
    return summary.exit_code


def select(config: StudyConfig, loader: str, *, quiet: bool = False) -> dict[str, CaseList]:
    """The cases of each data set, with a bar; scenes are drawn first where the config has some.

    See `vps.study.inputs.draw_scenes` and `vps.study.lists.find_lists`.
    """
    if config.scenes is not None:
        draw_scenes(config.scenes)
    with tqdm(desc="select", unit=" images", disable=disabled(quiet)) as bar:

        def show(name: str, done: int, total: int) -> None:
            bar.set_description(f"select {name}", refresh=False)
            bar.total = total
            bar.update(done - bar.n)

        return find_lists(config, loader, show)


def report_study(folders: Sequence[str | os.PathLike[str]], out: Path | None = None) -> str:
    """Write tables, plots and the page of a study.

    Args:
        folders: of its results; several where its shards were written to different ones.
        out: where the report goes; by default, the first folder.

    Returns:
        What to print: a table, and where the page lies.

    Raises:
        InputError: a folder that holds no study, or no results.
        OutputError: the report cannot be written.
    """
    paths = [Path(folder) for folder in folders]
    out = out or paths[0]
    config = config_of(paths[0])
    read = _read_all(config, paths, out)
    if not len(read.results):
        reasons = ", ".join(f"{read.counts[status]} {status}" for status in RANK[1:])
        raise InputError(f"{paths[0]} holds no results to report ({reasons})")
    return write_report(
        out,
        read.results,
        name=config.name,
        failed=read.failed,
        missing=read.counts["missing"],
        skipped=read.counts["skipped"],
        note=_note(config),
        remarks=read.remarks,
        masks={
            name: one.options["masks"]
            for name, one in config.methods.items()
            if "masks" in one.options
        },
        settings=dataclasses.replace(
            config.report, reference=config.report.reference or next(iter(config.methods))
        ),
    )


class _Read(NamedTuple):
    """What a report needs of all results: columns, not the lists and rows that they come from."""

    results: StudyResults
    failed: list[Failure]
    counts: dict[str, int]
    remarks: dict[str, list[str]]


def _read_all(config: StudyConfig, paths: Sequence[Path], out: Path) -> _Read:
    lists = {name: read_list(config, name) for name in config.datasets}
    for path in paths[1:]:
        _check_same(path, config, lists)
    stores = [Store(dataclasses.replace(config, out=str(path)), facts_of(lists)) for path in paths]
    counts = dict.fromkeys(RANK, 0)
    failed: list[Failure] = []

    def rows() -> Iterator[Row]:
        for records in zip(*(store.records(lists) for store in stores), strict=True):
            folder, record = min(zip(paths, records, strict=True), key=_rank)
            counts[record.status] += 1
            if record.row is not None:
                yield _moved(record.row, folder, out)
            elif record.status == "failed":
                failed.append(_failure(record))

    remarks = {name: cases.remarks for name, cases in lists.items() if cases.remarks}
    return _Read(results_of(rows()), failed, counts, remarks)


def _note(config: StudyConfig) -> str:
    """By which rules the metrics of a study were taken; "" by the usual ones."""
    rules = (config.metrics.map_rule or OURS, config.metrics.pointing_rule)
    said = [] if rules == (OURS, OURS) else [f"Map rule {rules[0]}, pointing rule {rules[1]}."]
    if config.protocol is not None:
        said.insert(0, f"Protocol {config.protocol}; config.yaml has what it set.")
    return " ".join(said)


def _failure(record: ResultRecord) -> Failure:
    task = record.task
    return {
        "dataset": task.dataset,
        "image_id": task.case.image_id,
        "case": task.case.key,
        "method": record.method,
        "error": one_line(Exception(record.message)),
    }


def _check_same(folder: Path, config: StudyConfig, lists: Mapping[str, CaseList]) -> None:
    """Raise InputError unless a folder is of the same study."""
    other = dataclasses.replace(config_of(folder), out=config.out, run=config.run)
    same = other == config and all(
        read_list(dataclasses.replace(config, out=str(folder)), name).cases == cases.cases
        for name, cases in lists.items()
    )
    if not same:
        raise InputError(
            f"{folder} is of other settings or other cases than {config.out}: report it by itself"
        )


def _rank(found: tuple[Path, ResultRecord]) -> int:
    return RANK.index(found[1].status)


def _moved(row: Row, folder: Path, out: Path) -> Row:
    """A row whose picture is found from the folder of the report."""
    if row["picture"] is None or folder == out:
        return row
    picture = Path(os.path.relpath(folder / row["picture"], out)).as_posix()
    return {**row, "picture": picture}

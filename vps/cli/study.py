"""`vps study`, `vps select`, `vps report`: from a config to cases, results, tables and a page."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from vps.cli.choices import PROTOCOL_NAMES, completing
from vps.cli.options import ConfigArgument, OverridesOption, QuietOption, choice
from vps.errors import InputError

LOADER = "detectors:load_for"
"""What builds the detector of a study in each worker."""

LIST_FORMATS = ("vps",)
"""In which lists of cases are written beside ours."""


def study_command(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="a YAML file, see configs/")
    ] = None,
    overrides: OverridesOption = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="do part I of N, e.g. 1/4")
    ] = None,
    protocol: Annotated[
        str | None,
        choice("--protocol", PROTOCOL_NAMES, "sets what the config does not set: ", panel=None),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="print the JSON schema of a config, and do no more")
    ] = False,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="check files, lists and labels, and count passes, without one"
        ),
    ] = False,
    quiet: QuietOption = False,
) -> int:
    """Explain the cases of data sets by several methods, and measure.

    The exit status is 1 where cases failed, or a dry run found a problem, 130 when interrupted.
    """
    if schema:
        _print_schema()
        return 0
    if config is None:
        raise InputError("a study needs its config: vps study CONFIG")
    from vps.study.config import read_config
    from vps.study.dry_run import dry_run
    from vps.study.study import run_study

    chosen = [] if protocol is None else [f"protocol={protocol}"]
    read = read_config(config, [*chosen, *(overrides or ())])
    if dry:
        found = dry_run(read, LOADER)
        print(found.text())
        return found.exit_code
    try:
        return run_study(read, LOADER, shard=shard, quiet=quiet)
    except KeyboardInterrupt:
        return interrupted()


def select_command(
    config: ConfigArgument,
    overrides: OverridesOption = None,
    also: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="vps: write lists in the form of VPS and PhaseWin, too",
            autocompletion=completing(LIST_FORMATS),
        ),
    ] = None,
    quiet: QuietOption = False,
) -> int:
    """Select the cases of a study, as lists that a person can read."""
    from vps.core.names import choose
    from vps.core.targets import Kind
    from vps.study.config import read_config
    from vps.study.exports import export_lists
    from vps.study.looks import list_path
    from vps.study.study import select

    if also is not None:
        choose(dict.fromkeys(LIST_FORMATS), also, "format of lists")
    read = read_config(config, overrides or ())
    try:
        lists = select(read, LOADER, quiet=quiet)
    except KeyboardInterrupt:
        return interrupted()
    for name, cases in lists.items():
        chosen = Counter(case.kind.value for case in cases.cases)
        kinds = ", ".join(
            f"{chosen[kind.value]} of {cases.counts[kind.value]} {kind.value}"
            for kind in Kind
            if cases.counts.get(kind.value)
        )
        print(f"{name}: {len(cases.cases)} cases ({kinds}) -> {list_path(read, name)}")
        for remark in cases.remarks:
            print(f"{name}: {remark}")
    if also is not None:
        for name, (path, remarks) in export_lists(read, lists, LOADER).items():
            print(f"{name}: as a list of VPS -> {path}")
            for remark in remarks:
                print(f"{name}: not in it: {remark}")
    return 0


def report_command(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="of results; several for shards"),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="of the report; by default, the first folder"),
    ] = None,
) -> None:
    """Write tables, plots and page of a study."""
    from vps.study.study import report_study

    print(report_study(folders, out))


def _print_schema() -> None:
    from vps.core.json_schema import json_schema
    from vps.study.config import StudyConfig

    print(json.dumps(json_schema(StudyConfig), indent=1))


def interrupted() -> int:
    """Tell that Ctrl-C ended a run that can go on; the exit status."""
    print("interrupted; start again to go on where it stopped", file=sys.stderr)
    return 130

"""`vps reliance`: on which other objects the detections of a study lean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vps.cli import study
from vps.cli.options import QuietOption

_SHOWN = 15


def reliance_command(
    folder: Annotated[
        Path, typer.Argument(metavar="STUDY", help="the folder of a study that was run")
    ],
    method: Annotated[
        str | None,
        typer.Option("--method", metavar="NAME", help="whose maps are read; by default the first"),
    ] = None,
    least: Annotated[
        int,
        typer.Option("--least-images", metavar="N", help="an entry of fewer images is not tested"),
    ] = 5,
    level: Annotated[
        float,
        typer.Option("--level", metavar="P", help="of the false discovery rate, in (0, 1)"),
    ] = 0.05,
    share: Annotated[
        float,
        typer.Option(
            "--passes",
            metavar="SHARE",
            help="passes for a case, as a share of those of its explanations; two at least",
        ),
    ] = 0.1,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="NAME", help="cpu, cuda, cuda:N or mps; else the study's"),
    ] = None,
    quiet: QuietOption = False,
) -> int:
    """Tell on which other classes' objects the detections of each class lean.

    Reads the maps of a study that was run, shows and hides annotated objects with a few passes a
    case, and writes reliance.html, reliance.csv, reliance.json and reliance_cases.csv into its
    folder. Started again, it does what is missing. The exit status is 1 where cases failed.
    """
    # Here, for they import torch.
    from tqdm import tqdm

    from vps.reliance.report import reliance_report
    from vps.reliance.study import CaseReader, chosen_method, without_phrases
    from vps.reliance.table import RelianceSettings
    from vps.study.devices import devices_here
    from vps.study.finished import config_of
    from vps.study.lists import read_list

    settings = RelianceSettings(least_images=least, level=level)
    config = config_of(folder)
    chosen = chosen_method(config, method)
    given = {name: read_list(config, name) for name in config.datasets}
    lists, remarks = without_phrases(config, given)
    where = devices_here(device or config.detector.device, 1)[0]
    reader = CaseReader(config, lists, chosen, study.LOADER, where, share)
    total = sum(len(cases.cases) for cases in lists.values())
    try:
        shown = tqdm(reader.records(), total=total, unit=" cases", disable=True if quiet else None)
        records = list(shown)
    except KeyboardInterrupt:
        return study.interrupted()
    report = reliance_report(config, records, chosen, settings, remarks)
    for line in report.lines(_SHOWN):
        print(line)
    return 1 if report.failed else 0

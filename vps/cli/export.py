"""`vps export`: a study's detections and results, in the forms of the tools people look with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vps.cli import study


def export_command(
    folder: Annotated[
        Path, typer.Argument(metavar="STUDY", help="the folder of a study that was run")
    ],
    parquet: Annotated[
        bool, typer.Option("--parquet", help="cases.parquet in place of CSV; needs .[parquet]")
    ] = False,
    threshold: Annotated[
        float,
        typer.Option("--threshold", metavar="P", help="lowest score of the detections"),
    ] = 0.05,
    detections: Annotated[
        bool, typer.Option(help="detections of all images, too, by a pass for each")
    ] = True,
) -> int:
    """Write detections as COCO results JSON, and a tidy table of all results.

    Into export/ in the study's folder: detections_<data set>.json, and cases.csv or cases.parquet
    with the paths of explanations and pictures.
    """
    from vps.core.file_names import safe_name
    from vps.core.numbers import check_range
    from vps.errors import InputError
    from vps.study.case_table import write_case_table
    from vps.study.coco_results import write_coco_results
    from vps.study.finished import config_of
    from vps.study.lists import read_list

    check_range("--threshold", threshold, high=1)
    config = config_of(folder)
    lists = {name: read_list(config, name) for name in config.datasets}
    out = Path(config.out) / "export"
    path = out / ("cases.parquet" if parquet else "cases.csv")
    count = write_case_table(config, lists, path, parquet=parquet)
    print(f"{count} results -> {path}")
    if not detections:
        return 0
    for name in config.datasets:
        path = out / f"detections_{safe_name(name)}.json"
        try:
            count, remarks = write_coco_results(config, name, study.LOADER, path, threshold)
        except InputError as error:
            print(f"{name}: no COCO results: {error}")
            continue
        print(f"{name}: {count} detections -> {path}")
        for remark in remarks:
            print(f"{name}: left out: {remark}")
    return 0

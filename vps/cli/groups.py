"""`vps groups`: what sorts of hiding repair the failures of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SHOWN = 15


def groups_command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="STUDY", help="the folder of a study that was run with `repair:`"),
    ],
    method: Annotated[
        str | None,
        typer.Option("--method", metavar="NAME", help="whose repairs; by default the first"),
    ] = None,
) -> None:
    """Group the failures of a study by what has to be hidden for them to go away.

    Writes groups.html and groups.json into the study's folder. Takes no pass.
    """
    from vps.grouping.study import read_failures, write_groups
    from vps.reliance.study import chosen_method
    from vps.study.finished import config_of
    from vps.study.lists import read_list

    config = config_of(folder)
    chosen = chosen_method(config, method)
    lists = {name: read_list(config, name) for name in config.datasets}
    failures = list(read_failures(config, lists, chosen))
    page, groups = write_groups(Path(config.out), config.name, failures)
    repaired = sum(bool(one.words) for one in failures)
    print(
        f"{len(failures)} failures, {repaired} repaired by hiding some part; {len(groups)} groups"
    )
    for group in groups[:_SHOWN]:
        print(f"  {group.sentence}")
    if len(groups) > _SHOWN:
        print(f"  and {len(groups) - _SHOWN} more")
    print(f"-> {page}")

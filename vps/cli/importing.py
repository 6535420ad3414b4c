"""`vps import`: results of VPS and PhaseWin become a study here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vps.cli.options import OverridesOption
from vps.errors import InputError


def import_command(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FOLDER...",
            help="of results, with json/ and npy/ in it; NAME is the method's in the tables",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="the study's folder")],
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="for pictures and pointing games"),
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option("--cases", metavar="LIST", help="the list of VPS that the results are of"),
    ] = None,
    section: Annotated[
        str | None,
        typer.Option("--section", metavar="NAME", help="of the list: case1, case2 or case3"),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="NAME", help="of the cases, if not that of the section"),
    ] = None,
    overrides: OverridesOption = None,
) -> int:
    """Make a study of results that VPS or PhaseWin have written: tables, page, comparison.

    The exit status is 1 where some could not be used.
    """
    from vps.core.names import choose
    from vps.core.targets import Kind
    from vps.study.import_source import ImportSettings
    from vps.study.imports import import_results
    from vps.study.lists import read_list
    from vps.study.study import report_study

    found = None if kind is None else choose({one.value: one for one in Kind}, kind, "kind")
    settings = ImportSettings(images, cases, section, found)
    config, left_out = import_results(_named(folders), out, settings, overrides or ())
    for name in config.datasets:
        for remark in read_list(config, name).remarks:
            print(f"{name}: {remark}")
    print(report_study([out]))
    return 1 if left_out else 0


def _named(folders: list[str]) -> dict[str, Path]:
    """Folders by the names that are given to them, or their own."""
    found: dict[str, Path] = {}
    for text in folders:
        name, equals, path = text.partition("=")
        folder = Path(path if equals else text)
        name = name if equals else folder.resolve().name
        if name in found:
            raise InputError(f"two folders are called {name!r}: name them, as NAME=FOLDER")
        found[name] = folder
    return found

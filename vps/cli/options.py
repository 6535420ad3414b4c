"""Options that several commands share: how they are written, and what completes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vps.cli.choices import (
    DTYPE_NAMES,
    EFFORT_NAMES,
    METHOD_NAMES,
    SEARCH_NAMES,
    completing,
    listed,
)

THE_DETECTOR = "The detector"
HOW = "How to explain it"


def choice(flag: str, names: tuple[str, ...], about: str, panel: str | None = HOW) -> Any:
    """An option that takes one of some names; the library refuses others, and says the nearest."""
    return typer.Option(
        flag,
        metavar="NAME",
        help=f"{about}{listed(names)}",
        rich_help_panel=panel,
        autocompletion=completing(names),
    )


ImageArgument = Annotated[Path, typer.Argument(metavar="IMAGE", help="an image file")]
ExifOption = Annotated[
    str,
    typer.Option(
        "--exif",
        metavar="NAME",
        help="applied: the image turned as its EXIF orientation says; or stored: as it is",
        autocompletion=completing(("applied", "stored")),
    ),
]
MaxPixelsOption = Annotated[
    int | None,
    typer.Option(
        "--max-pixels", metavar="N", help="the most pixels of an image; 178956970 if not given"
    ),
]
ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="a YAML file, see configs/")]

DetectorNameOption = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="NAME",
        help="a name (`vps detectors` lists all), or my_module:build, a function of yours",
        rich_help_panel=THE_DETECTOR,
    ),
]
PromptOption = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        metavar="TEXT",
        help='what to look for, as "dog . cat ."',
        rich_help_panel=THE_DETECTOR,
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", metavar="NAME", help="cpu, cuda, cuda:N or mps", rich_help_panel=THE_DETECTOR
    ),
]
DtypeOption = Annotated[str, choice("--dtype", DTYPE_NAMES, "", THE_DETECTOR)]
DetectorSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="an option of this kind of detector, e.g. weights=model.pth; may be repeated",
        rich_help_panel=THE_DETECTOR,
    ),
]
ThresholdOption = Annotated[
    float,
    typer.Option(
        "--threshold",
        metavar="P",
        help="lowest score of a detection",
        rich_help_panel=THE_DETECTOR,
    ),
]

RegionsOption = Annotated[
    int, typer.Option("--regions", metavar="N", help="how many, about", rich_help_panel=HOW)
]
MethodOption = Annotated[
    str, choice("--method", METHOD_NAMES, "what makes the map; all but vps to compare with: ")
]
SearchOption = Annotated[
    str | None, choice("--search", SEARCH_NAMES, "of the method vps, auto where none is given: ")
]
EffortOption = Annotated[
    str | None,
    choice(
        "--effort",
        EFFORT_NAMES,
        "15, 20 or 30 % of greedy's passes, balanced where none is given: ",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="B",
        help="the most passes of the method: a whole number; or, of vps, a share of greedy's with "
        "a decimal point",
        rich_help_panel=HOW,
    ),
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="S",
        help="seconds for each search, or for an answer",
        rich_help_panel=HOW,
    ),
]
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", metavar="N", help="images a pass", rich_help_panel=HOW)
]

QuietOption = Annotated[bool, typer.Option("--quiet", help="no progress bar")]
OverridesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="override a value of the config, e.g. regions.count=100; may be repeated",
    ),
]

"""`vps app`: a page in the browser, to look and to ask."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vps.cli.choices import DEMO_DETECTOR
from vps.cli.inputs import DetectorChoice, parse_pairs
from vps.cli.options import (
    THE_DETECTOR,
    DetectorSettings,
    DeviceOption,
    DtypeOption,
    PromptOption,
)
from vps.errors import InputError

if TYPE_CHECKING:
    from vps.app.images import ImageSource

_WHAT = "What to look at: by default, the drawn scenes of the demo, and what is uploaded"
_WHERE = "Where the page is, and for whom"


def app_command(
    detector: Annotated[
        list[str] | None,
        typer.Option(
            "--detector",
            metavar="NAME",
            help="a name (`vps detectors` lists all), or my_module:build; may be repeated, to "
            "switch between them on the page",
            rich_help_panel=THE_DETECTOR,
        ),
    ] = None,
    prompt: PromptOption = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    option: DetectorSettings = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="of image files", rich_help_panel=_WHAT),
    ] = None,
    coco: Annotated[
        Path | None,
        typer.Option(
            "--coco",
            metavar="FILE",
            help="a COCO annotation file, with its images in --folder",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            "--study",
            metavar="DIR",
            help="browse the results of a study instead; no detector is loaded",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="0.0.0.0 lets other machines open the page",
            rich_help_panel=_WHERE,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="0 for a free one", rich_help_panel=_WHERE
        ),
    ] = 7860,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="TEXT",
            envvar="VPS_APP_PASSWORD",
            help="that visitors are asked for, with the name vps",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    max_upload: Annotated[
        int,
        typer.Option(
            "--max-upload",
            metavar="MB",
            min=1,
            help="the largest file that is taken",
            rich_help_panel=_WHERE,
        ),
    ] = 40,
    max_pixels: Annotated[
        int,
        typer.Option(
            "--max-pixels",
            metavar="N",
            min=1,
            help="the most pixels of an image",
            rich_help_panel=_WHERE,
        ),
    ] = 150_000_000,
) -> None:
    """Serve a page in the browser: click a box, and see what the detector went by."""
    from vps.app.server import ServerSettings, launch, private_folder

    settings = ServerSettings(host, port, password, max_upload)
    if password is not None and not password:
        raise InputError("an empty password protects nothing: give one, or leave --password out")
    if study is not None and (detector or folder or coco):
        raise InputError("--study shows what is there: leave out --detector, --folder and --coco")
    with private_folder() as files:
        if study is not None:
            page = _study_page(study)
        else:
            chosen = DetectorChoice(DEMO_DETECTOR, prompt, device, dtype, option or ())
            names = detector or [DEMO_DETECTOR]
            page = _page(chosen, names, _source(folder, coco), files, max_pixels)
        if warning := settings.warning():
            print(f"note: {warning}", file=sys.stderr)
        launch(page, settings)


def _study_page(folder: Path) -> Any:
    """What browses a study."""
    from vps.core.extras import require
    from vps.study.finished import FinishedStudy

    study = FinishedStudy(folder)
    require("gradio", extra="app")
    from vps.app.study_page import StudyPage

    return StudyPage(study).demo


def _page(
    chosen: DetectorChoice, names: list[str], source: ImageSource, files: Path, max_pixels: int
) -> Any:
    """What asks detectors, the first of which is loaded now."""
    from vps.app.detector import DetectorChoices, HeldDetector
    from vps.app.workbench import Workbench
    from vps.core.extras import require

    chosen.check()
    options = parse_pairs(chosen.options, "--option")
    names = list(dict.fromkeys(names))
    choices = DetectorChoices(tuple(names), chosen.prompt, chosen.device, chosen.dtype, options)
    require("gradio", extra="app")
    from vps.app.page import Page

    held = HeldDetector(choices)
    held.get(names[0], choices.prompt_of(names[0]))
    return Page(Workbench(held, source, files, max_pixels)).demo


def _source(folder: Path | None, coco: Path | None) -> ImageSource:
    """The images that the page lists."""
    from vps.app.images import DatasetImages, DrawnScenes, FolderImages

    if coco is None:
        return DrawnScenes() if folder is None else FolderImages(folder)
    if folder is None:
        raise InputError("--coco names the annotations: say by --folder where the images are")
    from vps.data.readers.formats import open_dataset

    return DatasetImages(open_dataset("coco", str(coco), str(folder)), folder)

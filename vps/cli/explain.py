"""`vps explain`: why a detector found this, or missed it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vps.cli.choices import (
    DEMO_DETECTOR,
    FIGURE_FORMATS,
    FILL_NAMES,
    MAP_REPLAY_NAMES,
    MAP_RULE_NAMES,
    MODE_NAMES,
    NUMBERING_NAMES,
    PROTOCOL_NAMES,
    REGION_METHOD_NAMES,
)
from vps.cli.inputs import DetectorChoice, ImageChoice
from vps.cli.options import (
    HOW,
    BatchSizeOption,
    BudgetOption,
    DetectorNameOption,
    DetectorSettings,
    DeviceOption,
    DtypeOption,
    EffortOption,
    ExifOption,
    ImageArgument,
    MaxPixelsOption,
    MethodOption,
    PromptOption,
    QuietOption,
    RegionsOption,
    SearchOption,
    ThresholdOption,
    TimeLimitOption,
    choice,
)
from vps.cli.output import check_writable
from vps.cli.settings import RunSettings

_WHAT = "What to explain: by default, the best detection"
_WHY = "What stands in the way, and what is needed: a sentence and a picture"


def explain_command(
    context: typer.Context,
    image: ImageArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder for the results")],
    detection: Annotated[
        int | None,
        typer.Option(
            "--detection", metavar="K", help="number K of `vps detect`", rich_help_panel=_WHAT
        ),
    ] = None,
    all_found: Annotated[
        bool, typer.Option("--all", help="all detections", rich_help_panel=_WHAT)
    ] = False,
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option("--box", metavar="X1 Y1 X2 Y2", help="a box in pixels", rich_help_panel=_WHAT),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="TEXT",
            help="the label of --box; not needed if there is only one",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    missed: Annotated[
        bool,
        typer.Option(
            "--missed",
            help="what keeps the detector from finding --box, --label",
            rich_help_panel=_WHY,
        ),
    ] = False,
    why_not: Annotated[
        str | None,
        typer.Option(
            "--why-not",
            metavar="LABEL",
            help="why the detection is what it is and not a LABEL, in the same box or in --box",
            rich_help_panel=_WHY,
        ),
    ] = None,
    false_box: Annotated[
        bool,
        typer.Option(
            "--false-box",
            help="what triggers the detection, a box on nothing",
            rich_help_panel=_WHY,
        ),
    ] = False,
    duplicate_of: Annotated[
        int | None,
        typer.Option(
            "--duplicate-of",
            metavar="K",
            help="what adds the detection to detection K",
            rich_help_panel=_WHY,
        ),
    ] = None,
    smallest: Annotated[
        bool,
        typer.Option(
            "--smallest",
            help="the least that brings the detection forth, and the least whose hiding loses it",
            rich_help_panel=_WHY,
        ),
    ] = False,
    detector: DetectorNameOption = DEMO_DETECTOR,
    prompt: PromptOption = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    option: DetectorSettings = None,
    threshold: ThresholdOption = 0.3,
    method: MethodOption = "vps",
    method_option: Annotated[
        list[str] | None,
        typer.Option(
            "--method-option",
            metavar="NAME=VALUE",
            help="a setting of the method, e.g. masks=500; may be repeated",
            rich_help_panel=HOW,
        ),
    ] = None,
    search: SearchOption = None,
    effort: EffortOption = None,
    budget: BudgetOption = None,
    time_limit: TimeLimitOption = None,
    regions: RegionsOption = 64,
    region_method: Annotated[str, choice("--region-method", REGION_METHOD_NAMES, "")] = "slico",
    regions_file: Annotated[
        Path | None,
        typer.Option(
            "--regions-file",
            metavar="FILE",
            help="a label map, .npy or .png, or a folder with one of the image's name, in place of "
            "--regions and --region-method",
            rich_help_panel=HOW,
        ),
    ] = None,
    numbering: Annotated[
        str,
        choice(
            "--numbering",
            NUMBERING_NAMES,
            "regions that are worth the same come as they lie in the image, or the nearest to the "
            "box first: ",
        ),
    ] = "scan",
    fill: Annotated[str, choice("--fill", FILL_NAMES, "what hides a region: ")] = "mean",
    mode: Annotated[str, choice("--mode", MODE_NAMES, "what of it is explained: ")] = "object",
    batch_size: BatchSizeOption = 8,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="of a search or method that draws", rich_help_panel=HOW
        ),
    ] = 0,
    all_prompts: Annotated[
        bool,
        typer.Option(
            "--all-prompts",
            help="ask for all labels, also those in prompts that cannot change the score",
            rich_help_panel=HOW,
        ),
    ] = False,
    map_rule: Annotated[
        str, choice("--map-rule", MAP_RULE_NAMES, "how an order becomes a map: ")
    ] = "vps",
    map_replay: Annotated[
        str,
        choice("--map-replay", MAP_REPLAY_NAMES, "how a method that gives a map is judged: by "),
    ] = "regions",
    protocol: Annotated[
        str | None,
        choice("--protocol", PROTOCOL_NAMES, "sets what is not set by other options: "),
    ] = None,
    exif: ExifOption = "applied",
    max_pixels: MaxPixelsOption = None,
    figure_format: Annotated[
        str, choice("--format", FIGURE_FORMATS, "of pictures: ", panel=None)
    ] = "png",
    quiet: QuietOption = False,
) -> None:
    """Explain what a detector found, or missed.

    Writes a picture, the arrays (.npz) and everything else (.json) of each explanation.
    """
    from vps.cli.questions import Asked, check_asked
    from vps.core.names import choose

    asked = Asked(
        detection, all_found, box, label, missed, why_not, false_box, duplicate_of, smallest
    )
    chosen = DetectorChoice(detector, prompt, device, dtype, option or (), threshold)
    run = RunSettings(
        regions=regions,
        search=search,
        effort=effort,
        batch_size=batch_size,
        spend=budget,
        time_limit=time_limit,
        region_method=region_method,
        regions_file=regions_file,
        numbering=numbering,
        fill=fill,
        mode=mode,
        method_name=method,
        method_options=method_option or (),
        seed=seed,
        all_prompts=all_prompts,
        map_rule=map_rule,
        map_replay=map_replay,
        quiet=quiet,
    )
    if protocol is not None:
        sources = {name: context.get_parameter_source(name) for name in context.params}
        given = [name for name, one in sources.items() if one and one.name == "COMMANDLINE"]
        run = run.by_protocol(protocol, detector=detector, kind=asked.kind, given=given)
    photo = ImageChoice(image, exif, max_pixels)
    photo.reading()
    check_asked(asked, mode)
    run.check()
    chosen.check()
    choose(dict.fromkeys(FIGURE_FORMATS), figure_format, "format")
    check_writable(out)
    from vps.cli.explaining import Explaining  # only now, for it draws, too

    Explaining(photo, out, figure_format, chosen, asked, run, context.obj)()

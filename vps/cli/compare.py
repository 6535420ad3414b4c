"""`vps compare`: what one detector finds that another does not, over a data set or in an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vps.cli import study
from vps.cli.inputs import DetectorChoice, ImageChoice
from vps.cli.options import (
    BatchSizeOption,
    DeviceOption,
    DtypeOption,
    PromptOption,
    QuietOption,
    RegionsOption,
    ThresholdOption,
)
from vps.errors import InputError

if TYPE_CHECKING:
    from vps.comparing.explained import Comparison
    from vps.comparing.maps import MapSettings

_CONFIGS = (".yaml", ".yml")


def compare_command(
    what: Annotated[
        list[Path],
        typer.Argument(
            metavar="A.yaml B.yaml | IMAGE",
            help="two configs of studies with a data set in common; or an image",
        ),
    ],
    detectors: Annotated[
        list[str] | None,
        typer.Option("--detector", metavar="NAME", help="of an image: twice, for A and B"),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="where page, table and pictures go")
    ] = Path("out/compare"),
    most: Annotated[
        int, typer.Option("--explain", metavar="N", help="changes that are explained; 0 for none")
    ] = 12,
    passes: Annotated[
        int, typer.Option("--passes", metavar="N", help="of each of the two maps, at most")
    ] = 200,
    prompt: PromptOption = None,
    threshold: ThresholdOption = 0.3,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    regions: RegionsOption = 40,
    batch_size: BatchSizeOption = 8,
    quiet: QuietOption = False,
) -> int:
    """Compare two detectors: what A finds and B does not, why, and what would make B find it.

    Of two configs, their detectors, labels and thresholds are compared on the data sets of the
    first; of an image, what both show. Writes compare.html, compare.csv and compare.json.
    """
    from vps.comparing.changes import count_changes
    from vps.comparing.maps import MapSettings
    from vps.comparing.report import PICTURES, summary_lines, write_comparison
    from vps.core.numbers import check_whole

    check_whole("--explain", most, 0, 10_000)
    check_whole("--passes", passes, 1, 10**9)
    settings = MapSettings(regions=regions, passes=passes, batch_size=batch_size)
    pictures = out / PICTURES
    try:
        if len(what) == 2 and all(path.suffix in _CONFIGS for path in what):
            if detectors:
                raise InputError("--detector is of an image; configs name their own")
            found = _studies(what, pictures, most, settings, quiet)
        elif len(what) == 1 and what[0].suffix not in _CONFIGS:
            chosen = [
                DetectorChoice(name, prompt, device, dtype, (), threshold)
                for name in detectors or ()
            ]
            found = [_image(what[0], chosen, pictures, most, settings)]
        else:
            raise InputError(
                "vps compare takes two configs, A.yaml B.yaml, or one image with --detector twice"
            )
    except KeyboardInterrupt:
        return study.interrupted()
    page = write_comparison(out, found)
    for one in found:
        print(f"{one.name}: {one.names[0]} (A) and {one.names[1]} (B)")
        for line in (*summary_lines(one, count_changes(one.changes)), *one.remarks):
            print(f"  {line}")
        if one.explained:
            changes = "change" if len(one.explained) == 1 else "changes"
            print(f"  {len(one.explained)} {changes} explained in {one.passes} passes")
    print(f"-> {page}")
    return 0


def _studies(
    paths: Sequence[Path], pictures: Path, most: int, settings: MapSettings, quiet: bool
) -> list[Comparison]:
    import dataclasses

    from tqdm import tqdm

    from vps.comparing.data_set import compare_studies
    from vps.study.config import read_config

    first, second = (read_config(path) for path in paths)
    settings = dataclasses.replace(settings, fill=first.fill)
    with tqdm(unit="", disable=True if quiet else None) as bar:

        def show(about: str, done: int, total: int) -> None:
            bar.set_description(about, refresh=False)
            bar.total, bar.n = total, done
            bar.refresh()

        return list(
            compare_studies(
                first, second, study.LOADER, pictures, most=most, settings=settings, show=show
            )
        )


def _image(
    path: Path,
    chosen: Sequence[DetectorChoice],
    pictures: Path,
    most: int,
    settings: MapSettings,
) -> Comparison:
    from vps.comparing.one_image import compare_in_image

    if len(chosen) != 2:
        raise InputError(f"an image needs --detector twice, for A and B; got {len(chosen)}")
    for one in chosen:
        one.check()
    loaded = [one.load_with(ImageChoice(path)) for one in chosen]
    names = (chosen[0].name, chosen[1].name)
    if names[0] == names[1]:
        raise InputError(f"--detector is {names[0]} twice: there is nothing to compare")
    return compare_in_image(
        loaded[0][0],
        loaded[1][0],
        loaded[0][1],
        pictures,
        names=names,
        thresholds=(chosen[0].threshold, chosen[1].threshold),
        most=most,
        settings=settings,
    )

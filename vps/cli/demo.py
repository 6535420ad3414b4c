"""`vps demo`: a small detector on synthetic scenes, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vps.cli.choices import DEMO_DETECTOR
from vps.cli.options import (
    BatchSizeOption,
    BudgetOption,
    DeviceOption,
    EffortOption,
    QuietOption,
    RegionsOption,
    SearchOption,
    TimeLimitOption,
)
from vps.cli.output import check_writable, noted
from vps.cli.settings import RunSettings


def demo_command(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder for the page")] = Path(
        "out/demo"
    ),
    device: DeviceOption = "cpu",
    regions: RegionsOption = 36,
    search: SearchOption = None,
    effort: EffortOption = None,
    budget: BudgetOption = None,
    time_limit: TimeLimitOption = None,
    batch_size: BatchSizeOption = 8,
    quiet: QuietOption = False,
) -> None:
    """Explain a small detector on synthetic scenes."""
    from detectors import load
    from vps.core.detector import OpenVocabularyDetector
    from vps.data.scenes.layouts import CATEGORIES
    from vps.demo.run import run_demo
    from vps.report.progress import progress_bar

    run = RunSettings(regions, batch_size, search, effort, budget, time_limit, quiet=quiet)
    run.check()
    check_writable(out)
    detector = load(DEMO_DETECTOR, labels=CATEGORIES, device=device)
    assert isinstance(detector, OpenVocabularyDetector)
    with noted():
        page = run_demo(
            detector,
            out,
            regions=regions,
            settings={"method": run.method(), "batch_size": batch_size},
            budget=run.budget(),
            progress=lambda name: progress_bar(name, None, quiet=quiet),
            saved=context.obj,
        )
    print(f"open {page} in a browser")

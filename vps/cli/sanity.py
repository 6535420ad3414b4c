"""`vps sanity`: whether the methods of a study answer to the detector, the image and the target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vps.cli import study
from vps.cli.options import ConfigArgument, OverridesOption, QuietOption

if TYPE_CHECKING:
    from vps.metrics.sanity import Judged
    from vps.study.sanity import SanityRow


def sanity_command(
    config: ConfigArgument, overrides: OverridesOption = None, quiet: QuietOption = False
) -> int:
    """Check whether the methods of a study answer to the detector, the image and the target.

    Each case is explained again with random weights, with regions that cannot matter, about
    another detection, and under another seed. Prints one table, and writes sanity.csv with all
    values into the study's folder. Started again, it does what is missing.

    The exit status is 0, also where checks fail: that is a finding.
    """
    # Here, for most import torch.
    from tqdm import tqdm

    from vps.core.files import write_atomically
    from vps.errors import InputError
    from vps.study.config import read_config
    from vps.study.devices import devices_here
    from vps.study.sanity import check_cases
    from vps.study.study import select

    read = read_config(config, overrides or ())
    lists = select(read, study.LOADER, quiet=quiet)
    device = devices_here(read.detector.device, 1)[0]
    total = sum(len(cases.cases) for cases in lists.values()) * len(read.methods)
    if not total:
        raise InputError("no case was selected: there is nothing to check")
    rows: list[SanityRow] = []
    try:
        with tqdm(total=total, unit=" checks", disable=True if quiet else None) as bar:
            for row in check_cases(read, lists, loader=study.LOADER, device=device):
                rows.append(row)
                bar.update()
    except KeyboardInterrupt:
        return study.interrupted()
    for line in _table(rows, list(read.methods)):
        print(line)
    path = Path(read.out) / "sanity.csv"
    write_atomically(path, _csv(rows).encode())
    print(f"-> {path}")
    return 0


def _table(rows: Sequence[SanityRow], methods: Sequence[str]) -> Iterator[str]:
    """A line a method: mean, interval and verdict of each check; and what the checks are."""
    from vps.metrics.sanity import CHECKS

    width = max(len(name) for name in methods)
    yield " " * width + "".join(f"  {check:>26}" for check in CHECKS)
    for method in methods:
        own = [row for row in rows if row.method == method]
        cells = [_cell(_judged(check, own)) for check in CHECKS]
        yield f"{method:{width}}" + "".join(f"  {cell:>26}" for cell in cells)
        failed = [row for row in own if row.error]
        if failed:
            yield f"{'':{width}}  {len(failed)} of {len(own)} cases failed: {failed[0].error}"
    for name, check in CHECKS.items():
        side = "at most" if check.at_most else "at least"
        yield f"{name}: {check.about}; passed with {side} {check.limit:g}"


def _judged(check: str, rows: Sequence[SanityRow]) -> Judged | None:
    from vps.metrics.sanity import judged

    measured = [
        (value, (row.task.dataset, row.task.case.image_id))
        for row in rows
        if (value := row.values.get(check)) is not None and math.isfinite(value)
    ]
    if not measured:
        return None
    values, images = zip(*measured, strict=True)
    return judged(check, values, images)


def _cell(found: Judged | None) -> str:
    if found is None:
        return "-"
    interval = found.interval
    numbers = f"{interval.mean:.2f} ({interval.low:.2f} to {interval.high:.2f})"
    return f"{numbers} {found.verdict.value}"


def _csv(rows: Sequence[SanityRow]) -> str:
    from vps.report.tables.escapes import csv_table

    names = list(dict.fromkeys(name for row in rows for name in row.values))

    def cells(row: SanityRow) -> list[object]:
        case = row.task.case
        about = [row.task.dataset, str(case.image_id), case.key, row.method]
        return [*about, *(row.values.get(name) for name in names), row.error]

    return csv_table(["dataset", "image", "case", "method", *names, "error"], map(cells, rows))

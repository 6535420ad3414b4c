"""A run over many inputs: which are tried, and what is kept of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from tools.fuzzing.detector import register
from tools.fuzzing.doors import DOORS
from tools.fuzzing.verdicts import Outcome, Verdict, outcomes
from tools.fuzzing.whole import make_whole

STORED = Path(__file__).with_name("stored.txt")
"""Inputs that once were faults, KIND:NUMBER a line: they come first in every run."""

_BATCH = 120  # inputs of a kind that are tried before the next kind


@dataclass
class Found:
    """What a run came to.

    Attributes:
        counts: inputs by kind and verdict.
        faults: KIND:NUMBER and what it ended with.
        seconds: that it took.
    """

    counts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    faults: dict[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0


def fuzz(
    out: Path,
    *,
    count: int,
    seconds: float = float("inf"),
    first: int = 0,
    kinds: Sequence[str] | None = None,
    only: Sequence[str] = (),
    jobs: int = 1,
) -> Found:
    """Try the stored inputs, then `count` others, each kind by its share of `DOORS`.

    Args:
        out: gets a folder for each fault, with the input and the traceback.
        count: of inputs.
        seconds: after which no more are begun.
        first: number of the first input of each kind; others are other inputs.
        kinds: of inputs; all by default.
        only: "kind:number" of inputs to try, and no others.
        jobs: inputs that are tried at a time.
    """
    register()
    warnings.simplefilter("ignore")
    start, found = time.monotonic(), Found()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        whole = Path(folder, "whole")
        whole.mkdir()
        make_whole(whole)
        asked = list(only) or STORED.read_text().split()
        stored = [name for name in asked if only or not kinds or name.split(":")[0] in kinds]
        batches = _planned(stored, 0 if only else count, first, kinds)
        trial = _Trial(whole, Path(folder), out, start + seconds)
        # Forks know the detector, and need not import anything.
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
            for kind, tried in pool.map(trial, batches):
                for outcome in tried:
                    found.counts[kind, outcome.verdict] += 1
                    if outcome.verdict.is_fault:
                        found.faults[f"{kind}:{outcome.number}"] = outcome
                if tried:
                    many, faults = found.counts.total(), len(found.faults)
                    print(f"{many} inputs, {faults} faults; {kind}", file=sys.stderr, flush=True)
    found.seconds = time.monotonic() - start
    return found


def show(found: Found) -> str:
    """A table of verdicts by kind, and the last line of each fault."""
    kinds = list(dict.fromkeys(kind for kind, _ in found.counts))
    lines = [" ".join(f"{title:>13}" for title in ("", *(one.value for one in Verdict)))]
    for kind in kinds:
        row = (found.counts[kind, verdict] for verdict in Verdict)
        lines.append(" ".join(f"{value:>13}" for value in (kind, *row)))
    totals = [sum(found.counts[kind, verdict] for kind in kinds) for verdict in Verdict]
    lines.append(" ".join(f"{value:>13}" for value in ("all", *totals)))
    lines += [
        f"{name} {fault.verdict.value}: {fault.text.strip()[-200:].splitlines()[-1:]}"
        for name, fault in found.faults.items()
    ]
    return "\n".join([*lines, f"{sum(totals)} inputs in {found.seconds:.0f} s"])


def _planned(
    stored: Sequence[str], count: int, first: int, kinds: Sequence[str] | None
) -> Iterator[tuple[str, list[int]]]:
    """Kinds and numbers of the inputs, a few of each kind at a time."""
    for name in stored:
        kind, _, number = name.partition(":")
        yield kind, [int(number)]
    chosen = {kind: share for kind, (share, _) in DOORS.items() if not kinds or kind in kinds}
    whole = sum(chosen.values())
    left = {kind: round(count * share / whole) for kind, share in chosen.items()}
    begun = dict.fromkeys(left, first)
    while any(left.values()):
        for kind in left:
            batch = min(_BATCH, left[kind])
            if batch:
                yield kind, list(range(begun[kind], begun[kind] + batch))
            begun[kind] += batch
            left[kind] -= batch


@dataclass(frozen=True)
class _Trial:
    """Tries the inputs of a batch, and keeps those that are faults.

    Attributes:
        whole: the folder of whole inputs.
        folder: in which the inputs are made.
        out: gets the faults.
        until: by the monotonic clock, when no more batches are begun.
    """

    whole: Path
    folder: Path
    out: Path
    until: float

    def __call__(self, batch: tuple[str, list[int]]) -> tuple[str, list[Outcome]]:
        kind, numbers = batch
        tried: list[Outcome] = []
        if time.monotonic() > self.until:
            return kind, tried
        for outcome in outcomes(numbers, partial(self._attempt, kind)):
            tried.append(outcome)
            work = self._work(kind, outcome.number)
            if outcome.verdict.is_fault:
                _keep(self.out / work.name, work, outcome)
            shutil.rmtree(work, ignore_errors=True)
        return kind, tried

    def _attempt(self, kind: str, number: int) -> int | None:
        # Names that lead up and out end in folders of this run.
        inner = self._work(kind, number) / "a" / "b" / "c"
        inner.mkdir(parents=True)
        os.chdir(inner)
        random = np.random.default_rng([zlib.crc32(kind.encode()), number])
        return DOORS[kind][1](self.whole, inner, random)

    def _work(self, kind: str, number: int) -> Path:
        return self.folder / f"{kind}-{number}"


def _keep(folder: Path, work: Path, outcome: Outcome) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if work.exists():
        shutil.copytree(work, folder, symlinks=True)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{outcome.verdict.value}\n{outcome.text}\n"
    (folder / "fault.txt").write_text(text, errors="backslashreplace")

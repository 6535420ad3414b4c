"""`vps study` and `vps select`: from a config to cases, results, tables and a page."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

LOADER = "detectors:load_for"
"""What builds the detector of a study in each worker."""


def run_study_command(arguments: argparse.Namespace) -> int:
    """Run the study; returns 0, 1 where cases failed, 130 when interrupted."""
    from vps.study.config import read_config
    from vps.study.study import run_study

    config = read_config(arguments.config, arguments.overrides)
    try:
        return run_study(config, LOADER, shard=arguments.shard, quiet=arguments.quiet)
    except KeyboardInterrupt:
        return _interrupted()


def run_select_command(arguments: argparse.Namespace) -> int:
    """Write the lists of cases, and say what is in them; returns 0, 130 when interrupted."""
    from vps.core.targets import Kind
    from vps.study.config import read_config
    from vps.study.inputs import list_path
    from vps.study.study import select

    config = read_config(arguments.config, arguments.overrides)
    try:
        lists = select(config, LOADER, quiet=arguments.quiet)
    except KeyboardInterrupt:
        return _interrupted()
    for name, cases in lists.items():
        chosen = Counter(case.kind.value for case in cases.cases)
        kinds = ", ".join(
            f"{chosen[kind.value]} of {cases.counts[kind.value]} {kind.value}"
            for kind in Kind
            if cases.counts.get(kind.value)
        )
        print(f"{name}: {len(cases.cases)} cases ({kinds}) -> {list_path(config, name)}")
        if cases.skipped:
            print(f"{name}: {len(cases.skipped)} skipped, e.g. {cases.skipped[0]['reason']}")
    return 0


def _interrupted() -> int:
    print("interrupted; start again to go on where it stopped", file=sys.stderr)
    return 130

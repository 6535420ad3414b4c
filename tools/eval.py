"""Run a study: explain the cases of data sets by several methods, measure, and write tables.

python tools/eval.py configs/demo.yaml
python tools/eval.py configs/demo.yaml --set search.name=greedy --set run.workers=2 --shard 1/4
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vps.errors import VpsError  # noqa: E402
from vps.study.config import read_config  # noqa: E402
from vps.study.study import run_study  # noqa: E402

LOADER = "detectors:load_for"


def main(argv: list[str] | None = None) -> int:
    """Run a study; returns 0, 1 where cases failed, 2 for an error, 130 when interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--shard", metavar="I/N", help="do part I of N, e.g. 1/4")
    return exit_status(run, parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What all scripts that start from a config let the user set."""
    parser.add_argument("config", type=Path, help="a YAML file, see configs/")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override a value of the config, e.g. search.name=greedy; may be repeated",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Read the config and run the study."""
    config = read_config(arguments.config, arguments.overrides)
    return run_study(config, LOADER, shard=arguments.shard, quiet=arguments.quiet)


def exit_status(work: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run, and turn what goes wrong into one line and an exit status."""
    try:
        return work(arguments)
    except VpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; start again to go on where it stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

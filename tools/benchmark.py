"""Benchmarks of the toolkit: `python tools/benchmark.py overhead`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Parse the command and run it; each lives in a module of tools/benchmarks."""
    # So that a checkout works before it is installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks import overhead

    commands = {"overhead": overhead}
    parser = argparse.ArgumentParser(description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, module in commands.items():
        module.add_arguments(subparsers.add_parser(name, help=module.__doc__))
    arguments = parser.parse_args()
    commands[arguments.command].run(arguments)


if __name__ == "__main__":
    main()

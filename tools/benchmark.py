"""Benchmarks of the toolkit; `python tools/benchmark.py COMMAND --help` tells more of each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Parse the command and run it; each lives in a module of tools/benchmarks."""
    # So that a checkout works before it is installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.benchmarks import (
        causes,
        failures,
        faithfulness,
        florence,
        overhead,
        prompts,
        repairs,
        report,
        runner,
        search,
        targets,
    )
    from vps.errors import VpsError

    commands = {
        "overhead": overhead,
        "faithfulness": faithfulness,
        "causes": causes,
        "failures": failures,
        "repairs": repairs,
        "search": search,
        "targets": targets,
        "prompts": prompts,
        "florence": florence,
        "runner": runner,
        "report": report,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, module in commands.items():
        module.add_arguments(subparsers.add_parser(name, help=module.__doc__))
    arguments = parser.parse_args()
    try:
        commands[arguments.command].run(arguments)
    except VpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Benchmarks of the toolkit; `python tools/benchmark.py COMMAND --help` tells more of each."""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from pathlib import Path

COMMANDS = (
    "overhead",
    "throughput",
    "faithfulness",
    "causes",
    "failures",
    "repairs",
    "sets",
    "search",
    "targets",
    "masks",
    "prompts",
    "florence",
    "precision",
    "images",
    "runner",
    "report",
    "page",
)


def main() -> int:
    """Parse the command and run it; each lives in a module of tools/benchmarks."""
    # So that a checkout works before it is installed.
    root = Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root))
    from vps.errors import VpsError

    parser = argparse.ArgumentParser(description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        source = (root / "tools" / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        subparser = subparsers.add_parser(name, help=ast.get_docstring(ast.parse(source)))
        # Only what is asked for is imported: what another loads would be measured, too.
        if name in sys.argv[1:2]:
            module = importlib.import_module(f"tools.benchmarks.{name}")
            module.add_arguments(subparser)
    arguments = parser.parse_args()
    try:
        module.run(arguments)
    except VpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

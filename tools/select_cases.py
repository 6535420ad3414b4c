"""Select the cases of a study, and write them as lists that a person can read.

python tools/select_cases.py configs/demo.yaml --set select.per_kind=5
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.eval import LOADER, add_arguments, exit_status  # noqa: E402
from vps.core.targets import Kind  # noqa: E402
from vps.study.config import read_config  # noqa: E402
from vps.study.inputs import list_path  # noqa: E402
from vps.study.study import select  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Select cases; returns 0, 2 for an error, 130 when interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    return exit_status(run, parser.parse_args(argv))


def run(arguments: argparse.Namespace) -> int:
    """Write the lists, and say what is in them."""
    config = read_config(arguments.config, arguments.overrides)
    for name, cases in select(config, LOADER, quiet=arguments.quiet).items():
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


if __name__ == "__main__":
    sys.exit(main())

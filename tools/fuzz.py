"""Hand broken inputs in at every public door, and say what became of them.

python tools/fuzz.py --count 10000 --out out/fuzz

Annotations, lists of cases, results, rows, configs, images, descriptions of ONNX models, options
and arguments are changed at random, and tried in processes with limits of time and memory. Each
input must end in one clear error or work; a traceback, a hang or a crash is a fault, and so is
written down with what it was. Inputs are drawn by their numbers: `--only coco:17` tries one again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.fuzzing.run import fuzz, show  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="inputs (default: 2000)")
    parser.add_argument("--seconds", type=float, default=600, help="stop after (default: 600)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default: 0)")
    parser.add_argument("--kinds", nargs="+", help="of inputs (default: all)")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND:NUMBER", help="try these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time (default: all)")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="for what is found")
    given = parser.parse_args()
    found = fuzz(
        given.out,
        count=given.count,
        seconds=given.seconds,
        first=given.first,
        kinds=given.kinds,
        only=given.only,
        jobs=given.jobs,
    )
    print(show(found))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())

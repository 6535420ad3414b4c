"""Draw synthetic scenes and write them as COCO, RefCOCO and LVIS data sets.

python tools/make_scenes.py out/scenes --count 200 --seed 7 --split val
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vps.data.scenes.scene_files import write_coco, write_lvis  # noqa: E402
from vps.errors import VpsError  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw synthetic scenes with known causes.")
    parser.add_argument("folder", type=Path, help="where images/ and annotations/ go")
    parser.add_argument("--count", type=int, default=200, help="scenes a data set (default: 200)")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same scenes (default: 7)")
    parser.add_argument("--split", default="val", help="name of the split (default: val)")
    arguments = parser.parse_args()
    folder, split, count = arguments.folder, arguments.split, arguments.count
    try:
        for write in (write_coco, write_lvis):
            print(f"wrote {write(folder, split, count, seed=arguments.seed)}")
    except VpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

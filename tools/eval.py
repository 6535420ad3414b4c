"""`vps study` from a checkout: explain the cases of data sets by several methods, and measure.

python tools/eval.py configs/demo.yaml
python tools/eval.py configs/demo.yaml --set regions.count=100 --set run.workers=2 --shard 1/4
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vps.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["study", *sys.argv[1:]]))

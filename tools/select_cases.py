"""`vps select` from a checkout: the cases of a study, as lists that a person can read.

python tools/select_cases.py configs/demo.yaml --set select.per_kind=5
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vps.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["select", *sys.argv[1:]]))

"""`vps explain` from a checkout: python tools/explain.py IMAGE --prompt "dog . cat ." --out DIR."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vps.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["explain", *sys.argv[1:]]))

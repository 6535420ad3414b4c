"""Install a wheel in an environment of its own, and try it there without a network."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

NEEDED = (
    "detectors/demo/grounding_dino/model.safetensors",
    "detectors/demo/florence_2/model.safetensors",
    "detectors/py.typed",
    "vps/configs/demo.yaml",
    "vps/demo/page.html",
    "vps/report/tables/gallery.html",
    "vps/py.typed",
)
FOREIGN = ("configs", "docs", "tests", "tools")
"""Top-level names that belong to a checkout only."""

COMMANDS = (
    "--version",
    "demo --out demo",
    "study demo --set scenes.count=6 --set select.per_kind=1 --set regions.count=9 "
    "--set out=study --set run.workers=1",
)
DEAD = "http://127.0.0.1:9"
"""A proxy that nobody answers at, in place of the network."""


def main() -> int:
    """Check what a wheel holds, install it with pip and run it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--constraints", type=Path, default=Path(".ci/constraints.txt"))
    arguments = parser.parse_args()
    wrong = faults(zipfile.ZipFile(arguments.wheel).namelist())
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        commands = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        install = [commands / "pip", "install", "--quiet", "-c", arguments.constraints.resolve()]
        subprocess.run([*install, f"{arguments.wheel.resolve()}[hf,eval]"], check=True)
        blocked = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), DEAD)
        for line in COMMANDS:
            print(f"$ vps {line}", flush=True)
            subprocess.run(
                [commands / "vps", *line.split()], cwd=folder, env=os.environ | blocked, check=True
            )
    return 0


def faults(names: list[str]) -> list[str]:
    """What is wrong with the names of a wheel's files."""
    missing = [f"the wheel lacks {name}" for name in NEEDED if name not in names]
    return missing + [f"the wheel holds {name}" for name in names if name.split("/")[0] in FOREIGN]


if __name__ == "__main__":
    sys.exit(main())

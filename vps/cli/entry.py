"""Where the `vps` command begins: it hears Ctrl-C from its first import on."""

from __future__ import annotations

import os
import sys


def run_command() -> int:
    """Run `vps.cli.main.main`; the imports before it take a while.

    Returns:
        Its exit status; 130 when interrupted.
    """
    # Read when torch is imported. Threads that wait in a loop take the core of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from vps.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run_command())

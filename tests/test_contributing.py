"""What CONTRIBUTING.md shows does run, and prints what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

GUIDE = ROOT / "CONTRIBUTING.md"


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level."""
    _, *parts = re.split(r"^## +(.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def runnable(text: str) -> dict[str, tuple[str, str]]:
    """The program of each section, all its blocks in order, and what it prints, if that is said."""
    return {
        heading: ("\n\n".join(code), "".join(blocks(part, "text")))
        for heading, part in sections(text).items()
        if (code := blocks(part, "python"))
    }


PROGRAMS = runnable(GUIDE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("heading", PROGRAMS)
def test_the_examples_of_a_section_run(heading, tmp_path):
    code, printed = PROGRAMS[heading]
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    # In a process and a folder of its own, so that nothing it registers or writes is left behind.
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if printed:
        assert done.stdout == printed


def test_every_example_stands_under_a_heading():
    text = GUIDE.read_text(encoding="utf-8")
    assert sum(len(blocks(part, "python")) for part in sections(text).values()) == len(
        blocks(text, "python")
    )
    assert "Add a metric" in PROGRAMS


def test_blocks_of_a_section_are_one_program_and_sections_are_apart():
    text = (
        "# T\n\n## A\n\n```python\nx = 1\n```\nand\n```python\nprint(x)\n```\n\n```text\n1\n```\n"
        "\n### Aside\n\n```sh\nls\n```\n\n## B\n\nwords\n\n## C\n\n```python\nprint(2)\n```\n"
    )
    assert runnable(text) == {"A": ("x = 1\n\n\nprint(x)\n", "1\n"), "C": ("print(2)\n", "")}

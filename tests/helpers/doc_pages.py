"""Pages of the project, and the Python that they show, run beside the scenes that they name."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from PIL import Image

import detectors
from detectors.shared.prompts import parse_prompt
from tests.helpers.benchmarks import Knowing
from tests.helpers.paths import ROOT
from vps.data.scenes.layouts import CATEGORIES
from vps.data.scenes.scenes import Scene, make_scene
from vps.demo.cases import SEED

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
"""A block of code: its language, and the code."""

# What the pages show is said of these scenes of the demo, by the names that it gives them.
SHOWN = {"correct_scene.png": 0, "missed_scene.png": 6}
MISSED = (131, 123, 170, 162)
"""The wheel of the second that is not found."""


def pages() -> list[Path]:
    """All pages of the project."""
    folders = ("docs", "vps", "detectors", "tools", "configs")
    return sorted(
        [*ROOT.glob("*.md"), *(page for name in folders for page in (ROOT / name).rglob("*.md"))]
    )


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page that is in one language, in its order."""
    return [code for found, code in FENCED.findall(read(page)) if found == language]


class Overlooking(Knowing):
    """Misses one wheel, as long as it sees what stands beside it."""

    def detect(self, pixels, size):
        found = super().detect(pixels, size)
        scene = self.scenes[size]
        for row, item in enumerate(scene.objects):
            if item.box == MISSED:
                other = nearest_beside(scene, row)
                mask = torch.from_numpy(scene.objects[other].mask[::8, ::8].copy())
                shown = (pixels == self.whole[size]).all(dim=1)[:, mask].float().mean(dim=1)
                found.scores[:, row] *= torch.where(shown > 0.5, 0.2, 1.0)[:, None]
        return found


def nearest_beside(scene: Scene, number: int) -> int:
    """The object that begins least far right of another one's end."""
    gaps = {
        other: item.box[0] - scene.objects[number].box[2]
        for other, item in enumerate(scene.objects)
        if item.box[0] >= scene.objects[number].box[2]
    }
    return min(gaps, key=lambda other: gaps[other])


def load_known(name: str, *, prompt: str) -> Overlooking:
    """In place of `detectors.load`: what is asked for has to be there, all else is quick."""
    detectors.find_entry(name)
    assert set(parse_prompt(prompt)) <= set(CATEGORIES)
    return Overlooking([make_scene(SEED, index) for index in SHOWN.values()])


def run_python(page: Path, folder: Path) -> dict[str, object]:
    """Run the code of a page, in its order, beside the scenes of the demo; its names."""
    demo = folder / "out" / "demo"
    demo.mkdir(parents=True, exist_ok=True)
    for name, index in SHOWN.items():
        Image.fromarray(make_scene(SEED, index).image).save(demo / name)
    names: dict[str, object] = {}
    shown = blocks(page, "python")
    assert shown
    for code in shown:
        exec(compile(code, f"<{named(page)}>", "exec"), names)  # noqa: S102
    return names

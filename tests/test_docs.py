"""What the pages say: links lead somewhere, files they name exist, and their Python runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

import detectors
import vps
from detectors.shared.prompts import parse_prompt
from tests.helpers.benchmarks import Knowing
from tests.helpers.paths import ROOT
from vps import Answer, Explanation, Kind
from vps.data.scenes.layouts import CATEGORIES
from vps.data.scenes.scenes import Scene, make_scene
from vps.demo.cases import SEED

PICTURES = ROOT / ".github" / "images"
INDEX = ROOT / "docs" / "README.md"

# What the pages show is said of these scenes of the demo, by the names that it gives them.
SHOWN = {"correct_scene.png": 0, "missed_scene.png": 6}
MISSED = (131, 123, 170, 162)
"""The wheel of the second that is not found."""

_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"(?<![\w/.])(?:configs|tools|docs)/[\w/]+\.(?:py|yaml|md)\b")


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


def links(text: str) -> Iterator[str]:
    """Targets of links and pictures, without those to other sites; code holds none."""
    prose = re.sub(r"`[^`]*`", "", _FENCED.sub("", text))
    for target in _LINK.findall(prose):
        if "://" not in target:
            yield target


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links, as GitHub does it."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *$", _FENCED.sub("", text), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path, text: str) -> Iterator[str]:
    """Links of a page that lead to no file, or to no heading of one."""
    for target in links(text):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        found = other.exists()
        if found and anchor:
            found = anchor in anchors(text if other == page else read(other))
        if not found:
            yield target


@pytest.mark.parametrize("page", pages(), ids=named)
def test_links_and_files_of_a_page_exist(page):
    text = read(page)
    assert not list(broken(page, text))
    # `../shared/...` and what runs make, below out/, are not part of the project.
    assert not [path for path in _PATH.findall(text) if not (ROOT / path).exists()]


def test_broken_links_are_found():
    text = "# Two words\n[a](#two-words) [b](#none) [c](nowhere.md) [d](docs/README.md#none)"
    text += "\n![e](none.png) [f](https://example.org/none) `[g](none.md)`\n```sh\n[h](none)\n```\n"
    expected = ["#none", "nowhere.md", "docs/README.md#none", "none.png"]
    assert list(broken(ROOT / "README.md", text)) == expected
    assert anchors("# A `b` - c?\n## Same\n## Same\n") == {"a-b---c", "same", "same-1"}


def test_pages_and_pictures_can_be_reached():
    reached = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in pages()
        for target in links(read(page))
    }
    assert not [path.name for path in PICTURES.iterdir() if path.resolve() not in reached]
    assert not [
        named(page) for page in pages() if page.resolve() not in reached | {ROOT / "README.md"}
    ]
    listed = {re.split("[#/]", target)[0] for target in links(read(INDEX))}
    assert {path.name for path in INDEX.parent.iterdir()} - {INDEX.name} <= listed


def test_all_detectors_are_in_the_table():
    table = read(ROOT / "detectors" / "README.md").split("\n## ")[0]
    cells = re.findall(r"^\| [^|]+ \| ([^|]+) \|", table, re.MULTILINE)
    kinds = {name for cell in cells for name in re.findall(r"`([\w-]+)[:`]", cell)}
    assert set(detectors.DETECTORS) <= kinds


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
    demo.mkdir(parents=True)
    for name, index in SHOWN.items():
        Image.fromarray(make_scene(SEED, index).image).save(demo / name)
    names: dict[str, object] = {}
    blocks = [code for language, code in _FENCED.findall(read(page)) if language == "python"]
    assert blocks
    for code in blocks:
        exec(compile(code, f"<{named(page)}>", "exec"), names)  # noqa: S102
    return names


@pytest.fixture(params=["known", pytest.param("demo", marks=pytest.mark.slow)])
def _detector(request, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if request.param == "known":
        monkeypatch.setattr(detectors, "load", load_known)


@pytest.mark.usefixtures("_detector")
@pytest.mark.parametrize("name", ["README.md", "docs/explain.md"])
def test_what_the_pages_explain(name, tmp_path):
    names = run_python(ROOT / name, tmp_path)
    explanation = names["explanation"]
    assert explanation == Explanation.load("out/first")
    assert explanation.insertion_auc > 0.5 > explanation.deletion_auc
    x1, y1, x2, y2 = map(round, explanation.target.box)
    assert explanation.heatmap[max(y1, 0) : y2, max(x1, 0) : x2].max() == 1
    together = names.get("explanations", [explanation])
    assert [one.target.box for one in together][0] == explanation.target.box
    assert Path("out/reference.json").exists() == ("explanations" in names)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.usefixtures("_detector")
def test_all_that_is_public_is_on_its_page_and_runs(tmp_path):
    page = ROOT / "docs" / "python.md"
    words = set(re.findall(r"\w+", read(page)))
    assert not [name for name in vps.__all__ if name not in words and name != "__version__"]
    names = run_python(page, tmp_path)
    assert names["explanations"][0].method == "box"
    assert names["answer"].kind is Kind.BACKGROUND
    assert Path("out/first_answer.png").exists()


@pytest.mark.usefixtures("_detector")
def test_what_the_pages_say_of_a_failure(tmp_path):
    answer = run_python(ROOT / "docs" / "failures.md", tmp_path)["answer"]
    assert answer == Answer.load("out/missed")
    assert answer.kind is Kind.MISSED
    assert answer.target.box == MISSED
    assert answer.whole_score < 0.3 <= answer.repair.found_score
    assert answer.sentence().startswith("the wheel is missed; hiding these")

"""The configs that ship: all are read and listed, and those of the paper say what they cost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from vps.core.targets import Kind
from vps.data.readers.vps_list import SECTIONS
from vps.methods.listing import example_problem
from vps.study.config import read_config

CONFIGS = ROOT / "configs"
PAPER = sorted((CONFIGS / "vps_paper").glob("*.yaml"))
README = (CONFIGS / "README.md").read_text(encoding="utf-8")
REGIONS = {
    "coco_misclassified": 100,
    "coco_missed": 50,
    "lvis_rare_correct": 50,
    "lvis_rare_misclassified": 100,
    "lvis_rare_missed": 100,
    "coco_florence_2": 50,
    "coco_florence_2_open_vocabulary": 50,
    "refcoco_florence_2": 50,
    "phase_win_coco": 100,
}


def test_all_configs_are_listed():
    linked = set(re.findall(r"\]\(([\w/]+\.yaml)\)", README))
    assert linked == {path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml")}


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.stem)
def test_a_config_of_the_paper_says_what_it_costs(path):
    regions = REGIONS.get(path.stem, 64)
    config = read_config(path)
    ((name, data),) = config.datasets.items()
    section = SECTIONS[data.section or ""]
    kind = section.phrase if data.format.startswith("refcoco") else section.object
    assert config.region_count(name, kind) == regions
    assert config.name == f"vps_paper_{path.stem}"
    assert config.protocol == "vps-paper"
    passes = 0
    for name, chosen in config.methods.items():
        searches = chosen.method in ("vps", "phase-win")
        own = config.method(name).planned_passes(example_problem(regions))
        passes += own + (0 if searches else 2 * regions)
    text = path.read_text(encoding="utf-8")
    said = re.search(
        r"At about (\d+) regions at most ([\d,]+) passes a case with all curves, ([\d,]+) of them",
        text,
    )
    assert said is not None
    greedy = regions * (regions + 1)
    assert [int(number.replace(",", "")) for number in said.groups()] == [regions, passes, greedy]
    assert f"({path.relative_to(CONFIGS)})" in README
    (row,) = [line for line in README.splitlines() if f"({path.relative_to(CONFIGS)})" in line]
    assert row.endswith(f"| {regions} | {passes:,} |")
    if "394 cases" in text:
        assert f"{394 * passes:,} for the 394 cases" in text


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.stem)
def test_a_config_of_the_paper_names_list_and_section(path):
    (data,) = read_config(path).datasets.values()
    section = data.section or ""
    wanted = {"misclassified": "case2", "mis_grounded": "case2", "missed": "case3"}
    ending = next((name for name in wanted if path.stem.endswith(name)), "")
    assert section == wanted.get(ending, "case1")
    assert SECTIONS[section].object in (Kind.CORRECT, Kind.CLASSIFICATION, Kind.MISSED)
    assert Path(data.cases or "").name in {
        "coco_groundingdino_correct_detection.json",
        "coco_groundingdino_misclassification.json",
        "coco_groundingdino_misdetect.json",
        "coco_florence-2_correct_detection.json",
        "coco_mask_rcnn_correct.json",
        "coco_yolo_v3_correct.json",
        "coco_fcos_correct.json",
        "coco_ssd_correct.json",
        "lvis_v1_rare_groundingdino_correct_detection.json",
        "lvis_v1_rare_groundingdino_misclassification.json",
        "lvis_v1_rare_groundingdino_misdetect.json",
        "refcoco_val_groundingdino_correct.json",
        "refcoco_val_groundingdino_mistake.json",
        "refcoco_val_florence-2_correct.json",
    }

"""Lists in the form of VPS: what is written is read back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.helpers.scripted import dataset, entry
from vps.core.targets import Kind
from vps.data.cases.cases import Case
from vps.data.cases.joining import join_entries
from vps.data.cases.list_writer import NO_SECTION, NO_TRUTH, write_vps_list
from vps.data.left_out import LeftOut
from vps.data.readers.vps_list import SECTIONS, read_entries
from vps.errors import InputError

BOX, OTHER = (0.0, 0.0, 10.0, 10.0), (40.0, 0.0, 60.0, 30.0)
FOUND, WRONG = (0.0, 0.0, 10.0, 9.0), (41.0, 0.0, 60.0, 31.0)
IMAGES = dataset(
    entry(1, ("dog", BOX), ("cat", OTHER)), entry(2, ("dog", BOX)), labels=("cat", "dog")
)
ABOUT = {"area": 50.0, "object_id": 100}
CASES = (
    Case(1, "d1", Kind.CORRECT, FOUND, "dog", score=0.5, iou=0.9, **ABOUT),
    Case(1, "d2", Kind.CLASSIFICATION, OTHER, "cat", WRONG, "dog", 0.75, 0.9, 101, 50.0),
    Case(2, "a200", Kind.MISSED, BOX, "dog", object_id=200, area=50.0),
)


def read_back(path, section, target="detection", data=IMAGES):
    left_out = LeftOut()
    section, entries = read_entries(path, left_out, section=section)
    kinds = SECTIONS[section]
    kind = kinds.phrase if data.grounding else kinds.object
    labels = () if data.grounding else ("cat", "dog")
    cases = join_entries(entries, data, kind, left_out, labels=labels, target=target)
    assert not left_out.counts
    return cases


def test_cases_of_all_sections_are_read_back_equal(tmp_path):
    path = tmp_path / "list.json"
    assert not write_vps_list(path, CASES, IMAGES).counts
    for section, case in zip(SECTIONS, CASES, strict=True):
        (found,) = read_back(path, section)
        assert dataclasses.replace(found, key=case.key) == case
    assert read_back(path, "case1", "truth")[0].box == BOX


def test_phrases_are_read_back_equal(tmp_path):
    phrases = dataset(entry(1, ("the left dog", BOX), ("a cat", OTHER)), grounding=True)
    cases = (
        Case(1, "a100", Kind.GROUNDED_RIGHT, FOUND, "the left dog", score=0.5, iou=0.9, **ABOUT),
        Case(1, "a101", Kind.GROUNDED_WRONG, OTHER, "a cat", FOUND, None, 0.4, 0.0, 101, 50.0),
    )
    write_vps_list(tmp_path / "list.json", cases, phrases)
    for section, case in zip(("case1", "case2"), cases, strict=True):
        (found,) = read_back(tmp_path / "list.json", section, data=phrases)
        assert dataclasses.replace(found, key=case.key) == case


def test_what_their_scripts_read(tmp_path):
    tokens = {"dog": ("cat . dog .", (3,)), "cat": ("cat . dog .", (1,))}
    write_vps_list(tmp_path / "list.json", CASES, IMAGES, tokens_of=tokens.__getitem__)
    content = json.loads((tmp_path / "list.json").read_text())
    assert list(content) == ["case1", "case2", "case3"]
    (first,) = content["case1"]
    assert first["bbox"] == [0, 0, 10, 10]
    assert all(isinstance(value, int) for value in first["bbox"] + first["predict_box"])
    assert (first["caption"], first["class_id"]) == ("cat . dog .", [3])
    assert first["file_name"] == first["image_path"]
    assert content["case2"][0]["predict_category"] == "dog"
    assert "predict_box" not in content["case3"][0]


def test_cases_that_the_lists_do_not_have_are_counted(tmp_path):
    others = (
        Case(1, "d4", Kind.BACKGROUND, BOX, "dog"),
        Case(1, "d5", Kind.CORRECT, BOX, "dog"),
    )
    left_out = write_vps_list(tmp_path / "list.json", [*CASES, *others], IMAGES)
    assert left_out.counts == {NO_SECTION: 1, NO_TRUTH: 1}
    assert "case d4 of image 1, background" in " ".join(left_out.lines())
    with pytest.raises(InputError, match="no case can be written as a list of VPS: case of a kind"):
        write_vps_list(tmp_path / "other.json", others, IMAGES)

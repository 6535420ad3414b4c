"""Studies of the lists of VPS and PhaseWin."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.helpers.studies import BOXES, LOADER, config_of, draw
from vps.core.targets import Kind
from vps.errors import InputError
from vps.study.lists import find_lists, read_list
from vps.study.study import run_study


@pytest.fixture
def drawn(tmp_path):
    draw(tmp_path, 3)
    return tmp_path


def entry(number, box, label="dog", **more):
    return {"file_name": f"{number}.png", "category": label, "bbox": list(box), **more}


def config(folder, content, **changes):
    (folder / "list.json").write_text(json.dumps(content))
    made = config_of(folder)
    data = dataclasses.replace(
        made.datasets["drawn"],
        cases=str(folder / "list.json"),
        **{key: changes.pop(key) for key in ("section", "rename") if key in changes},
    )
    return dataclasses.replace(made, datasets={"drawn": data}, **changes)


def rows(out):
    return [json.loads(path.read_text()) for path in sorted(Path(out).rglob("*.row.json"))]


def test_each_section_is_a_study_of_its_kind(drawn):
    lists = {
        "case1": [entry(1, BOXES[1], predict_box=[16, 4, 27, 20], predict_score=0.6)],
        "case2": [entry(2, BOXES[0], predict_box=[2, 2, 12, 11], predict_category="cat")],
        "case3": [entry(3, BOXES[0])],
    }
    for section, kind in (
        ("case1", Kind.CORRECT),
        ("case2", Kind.CLASSIFICATION),
        ("case3", Kind.MISSED),
    ):
        settings = config(drawn, lists, section=section, out=str(drawn / section))
        assert run_study(settings, LOADER, quiet=True) == 0
        (case,) = read_list(settings, "drawn").cases
        assert case.kind is kind
        assert case.object_id == 10 * case.image_id + (kind is Kind.CORRECT)
        found = rows(settings.out)
        assert {row["kind"] for row in found} == {kind.value}
        assert "energy_pointing_mask" in found[0]["metrics"]  # the mask of the annotation


def test_what_is_left_out_stands_in_list_and_page(drawn, capsys):
    given = [entry(1, BOXES[1]), entry(9, BOXES[1]), entry(2, BOXES[1], "unicorn")]
    settings = config(drawn, given)
    assert run_study(settings, LOADER, quiet=True) == 0
    printed = capsys.readouterr().out
    assert "image that the data set does not have (1 entry): list.json, entry 2" in printed
    assert "entry 3: unicorn" in printed
    assert "unicorn" in (Path(settings.out) / "summary.json").read_text()
    assert read_list(settings, "drawn").counts == {"correct": 3}


def test_a_list_is_joined_again_where_it_has_changed(drawn):
    settings = config(drawn, [entry(1, BOXES[1])])
    first = find_lists(settings, LOADER)["drawn"]
    broken = dataclasses.replace(settings.detector, options={"broken": True})
    assert find_lists(settings, LOADER)["drawn"] == first
    (drawn / "list.json").write_text(json.dumps([entry(2, BOXES[1])]))
    assert find_lists(settings, LOADER)["drawn"].cases[0].image_id == 2
    with pytest.raises(Exception, match="no such weights"):
        find_lists(dataclasses.replace(settings, detector=broken), LOADER)


def test_the_target_of_a_correct_case_is_a_choice(drawn):
    given = [entry(1, BOXES[1], predict_box=[16, 4, 27, 20])]
    assert find_lists(config(drawn, given), LOADER)["drawn"].cases[0].box == BOXES[1]
    settings = config(drawn, given)
    chosen = dataclasses.replace(settings.select, target="detection")
    settings = dataclasses.replace(settings, select=chosen)
    assert find_lists(settings, LOADER)["drawn"].cases[0].box == (16, 4, 27, 20)


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        ({"case1": []}, {"section": "case3"}, "unknown section of the list .*case3"),
        ({"case1": []}, {}, "no case of .*list.json, section case1.*no entries"),
        ([entry(9, BOXES[0])], {}, "no case of .*does not have"),
        (
            [{**entry(1, BOXES[0]), "category": None, "caption": "a .", "class_id": [1]}],
            {},
            "brightness reads no",
        ),
        ({"version": 1, "cases": []}, {"section": "case1"}, "which has no sections"),
    ],
)
def test_lists_that_cannot_be_used_are_one_clear_error(drawn, content, changes, message):
    with pytest.raises(InputError, match=message):
        find_lists(config(drawn, content, **changes), LOADER)


def test_sections_are_checked_with_the_config(drawn):
    with pytest.raises(InputError, match="unknown section 'cas1', did you mean 'case1'"):
        config(drawn, [], section="cas1")
    with pytest.raises(InputError, match="section is of a list of cases"):
        dataclasses.replace(config_of(drawn).datasets["drawn"], section="case1")

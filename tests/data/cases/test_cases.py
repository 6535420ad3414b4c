import json

import pytest

from vps.core.targets import Kind, Target
from vps.data.cases.cases import Case, CaseList
from vps.errors import InputError

BOX = (1.0, 2.0, 30.5, 40.25)
WRONG = Case(
    "street", "d2", Kind.CLASSIFICATION, BOX, "dog", predicted_box=(0.0, 0.0, 5.0, 5.0),
    predicted_label="cat", score=0.75, iou=0.5, object_id=17, area=1000.0, frequency="c",
)  # fmt: skip
CASES = (WRONG, Case(139, "a17", Kind.MISSED, BOX, "dog", object_id=17))


def a_list(cases=CASES):
    return CaseList(
        dataset="coco",
        detector="tiny",
        labels=("cat", "dog"),
        settings={"score_threshold": 0.3, "kinds": ["missed"], "rename": {}},
        counts={"correct": 0, "missed": 3},
        cases=tuple(cases),
        skipped=({"image_id": 7, "reason": "broken"},),
        versions={"vps": "1"},
    )


def test_target_and_size():
    assert WRONG.target == Target(BOX, "dog", Kind.CLASSIFICATION, "cat", (0.0, 0.0, 5.0, 5.0))
    sizes = [
        Case(1, "d1", Kind.CORRECT, BOX, "dog", area=area).size for area in (1023, 1024, 9215, 9216)
    ]
    assert sizes == ["small", "medium", "medium", "large"]


@pytest.mark.parametrize("cases", [CASES, CASES[:1], ()])
def test_a_list_is_what_was_saved(tmp_path, cases):
    path = a_list(cases).save(tmp_path / "folder" / "list.json")
    assert CaseList.load(path) == a_list(cases)


def test_people_can_read_it_a_case_a_line_and_take_one_out(tmp_path):
    path = a_list().save(tmp_path / "list.json")
    *_, last = (line for line in path.read_text().splitlines() if '"key"' in line)
    assert json.loads(last)["key"] == "a17"
    kept = [line for line in path.read_text().splitlines() if '"d2"' not in line]
    path.write_text("\n".join(kept))
    assert CaseList.load(path) == a_list(CASES[1:])


def edited(change):
    def edit(record):
        change(record)
        return json.dumps(record)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda record: json.dumps(record)[:-40], "cannot be read"),
        (lambda record: "[]", "no entry 'cases'"),
        (lambda record: "{}", "no entry 'cases'"),
        (edited(lambda record: record.update(version=99)), "of version 99, not 1"),
        (edited(lambda record: record.update(more=1)), "no list of cases.*'more'"),
        (edited(lambda record: record.pop("labels")), "no list of cases.*'labels'"),
        (edited(lambda record: record.update(cases=[1])), "case 1"),
        (edited(lambda record: record["cases"][1].update(kind="mised")), "case 2.*'mised'"),
        (edited(lambda record: record["cases"][1].pop("kind")), "case 2 has no 'kind'"),
        (edited(lambda record: record["cases"][0].update(box=[5, 5, 2, 2])), "case 1.*no area"),
        (edited(lambda record: record["cases"][0].update(box=[5, "x"])), "case 1"),
        (edited(lambda record: record["cases"].append(record["cases"][0])), "two cases 'd2'"),
    ],
)
def test_files_that_are_no_lists(tmp_path, edit, message):
    path = a_list().save(tmp_path / "list.json")
    path.write_text(edit(json.loads(path.read_text())))
    with pytest.raises(InputError, match=message) as error:
        CaseList.load(path)
    assert "list.json" in str(error.value)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        CaseList.load(tmp_path / "none.json")

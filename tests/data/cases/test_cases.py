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
        (lambda record: "[]", "holds no keys and values, but a list"),
        (lambda record: "{}", "no entry 'cases'"),
        (edited(lambda record: record.update(version=99)), "of version 99, not 1"),
        (edited(lambda record: record.update(more=1)), "no list of cases.*'more'"),
        (edited(lambda record: record.pop("labels")), "no list of cases: labels is missing"),
        (edited(lambda record: record.update(cases=[1])), "case 1"),
        (edited(lambda record: record["cases"][1].update(kind="mised")), "case 2.*'mised'"),
        (edited(lambda record: record["cases"][1].pop("kind")), "case 2.kind is missing"),
        (edited(lambda record: record["cases"][0].update(box=[5, 5, 2, 2])), "case 1.*no area"),
        (edited(lambda record: record["cases"][0].update(box=[5, "x"])), "case 1"),
        (edited(lambda record: record["cases"].append(record["cases"][0])), "two cases 'd2'"),
        (lambda record: "[" * 100_000, "nested too deeply"),
        (lambda record: '{"cases": ' + "9" * 5000 + "}", "cannot be read"),
        (edited(lambda record: record.update(version=[])), r"of version \[\]"),
        (edited(lambda record: record.update(cases={})), "cases must be a list"),
        (edited(lambda record: record.update(labels="dog")), "labels must be a list"),
        (edited(lambda record: record.update(labels=["dog", 1])), r"labels\[1\] must be text"),
        (edited(lambda record: record.update(settings=[])), "settings must hold keys"),
        (edited(lambda record: record.update(counts={"missed": "x"})), "counts.missed"),
        (edited(lambda record: record.update(skipped=[1])), r"skipped\[0\]"),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("score", bad) for bad in (float("nan"), None, "x", -0.1, 5, [], True, 10**400)),
        *(("iou", bad) for bad in (float("inf"), None, 2)),
        *(("area", bad) for bad in (None, "large", float("nan"), float("inf"), -1)),
        *(("frequency", bad) for bad in ([], 3)),
        *(("label", bad) for bad in (None, "", 7, ["dog"])),
        *(("key", bad) for bad in (None, "", 1)),
        *(("kind", bad) for bad in (None, [], "mised")),
        *(("image_id", bad) for bad in (None, 1.5, [1], True)),
        *(("object_id", bad) for bad in (1.5, {})),
        *(("box", bad) for bad in (None, [1, 2, 3], [0, 0, float("nan"), 1], ["0", 0, 1, 1], {})),
        *(("predicted_box", bad) for bad in (5, [1, 1, 1, 1])),
        ("predicted_label", 3),
        ("boxes", [0, 0, 1, 1]),
    ],
)
def test_a_bad_value_is_told_with_its_case_and_field(tmp_path, name, value):
    path = a_list().save(tmp_path / "list.json")
    record = json.loads(path.read_text())
    record["cases"][1][name] = value
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"list\.json.*case 2.*") as error:
        CaseList.load(path)
    text = str(error.value)
    assert name in text.replace("a box needs", "box predicted_box").replace(
        "box (", "predicted_box"
    )
    assert "\n" not in text


def test_whole_numbers_and_text_of_any_kind_are_good_values(tmp_path):
    path = a_list([Case("a\udcff", "d1", Kind.CORRECT, (0, 0, 3, 3), "\ud800", score=1)]).save(
        tmp_path / "list.json"
    )
    (case,) = CaseList.load(path).cases
    assert (case.image_id, case.label, case.score, case.box) == (
        "a\udcff", "\ud800", 1.0, (0.0, 0.0, 3.0, 3.0),
    )  # fmt: skip

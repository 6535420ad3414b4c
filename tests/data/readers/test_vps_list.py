import json

import pytest

from tests.helpers.paths import SHARED_DATA
from vps.core.targets import Kind
from vps.data.left_out import LeftOut
from vps.data.readers.vps_list import NO_ENTRY, NOT_TOLD, read_entries, read_vps_list
from vps.errors import InputError

REAL = SHARED_DATA / "vps_lists"
ENTRY = {
    "image_path": "000000090003.jpg",
    "image_id": "000000090003",
    "class_id": [3, 4],
    "bbox": [219, 213, 493, 365],
    "predict_box": [218, 209, 492, 366],
    "predict_score": 0.7,
    "iou": 0.96,
    "category": "hot dog",
    "caption": "cat . hot dog .",
}


def write(folder, content):
    (folder / "list.json").write_text(json.dumps(content))
    return folder / "list.json"


def without(*keys):
    return {key: value for key, value in ENTRY.items() if key not in keys}


def test_the_truth_is_explained_as_by_the_authors(tmp_path):
    path = write(tmp_path, [ENTRY, ENTRY])
    first, second = read_vps_list(path)
    assert (first.key, second.key) == ("l1", "l2")
    assert first.image_id == 90003
    assert first.kind is Kind.CORRECT
    assert first.box == (219, 213, 493, 365)
    assert read_vps_list(path, target="detection")[0].box == (218, 209, 492, 366)
    assert first.label == "hot dog"
    assert (first.score, first.iou) == (0.7, 0.96)
    assert first.area == 274 * 152
    assert first.object_id is None


def test_the_form_of_vps_itself(tmp_path):
    entry = {"file_name": "val2017/000000090003.jpg", "bbox": [1, 2, 3, 4], "category": "cat"}
    path = write(tmp_path, {"case1": [entry], "case2": [entry, entry]})
    (case,) = read_vps_list(path)
    assert case.image_id == 90003
    assert case.box == (1, 2, 3, 4)
    assert len(read_vps_list(path, section="case2")) == 2
    with pytest.raises(InputError, match="unknown section of the list .* 'case3'"):
        read_vps_list(path, section="case3")
    with pytest.raises(InputError, match="unknown section 'cas2', did you mean 'case2'"):
        read_vps_list(path, section="cas2")
    # The only section of a file need not be named, and what a plain list holds is what is said.
    assert read_vps_list(write(tmp_path, {"case3": [entry]}))[0].kind is Kind.MISSED
    assert read_vps_list(write(tmp_path, [entry]), section="case3")[0].kind is Kind.MISSED
    with pytest.raises(
        InputError, match=r"it has no section case1, case2, case3; its keys are \['case9'\]"
    ):
        read_vps_list(write(tmp_path, {"case9": [entry]}))


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ("case1", (Kind.CORRECT, Kind.GROUNDED_RIGHT)),
        ("case2", (Kind.CLASSIFICATION, Kind.GROUNDED_WRONG)),
        ("case3", (Kind.MISSED, Kind.MISSED)),
    ],
)
def test_the_kind_of_a_case_is_that_of_its_section(tmp_path, section, kinds):
    path = write(tmp_path, {section: [ENTRY]})
    found = [read_vps_list(path, phrases=phrases)[0] for phrases in (False, True)]
    assert tuple(case.kind for case in found) == kinds
    # Of a failure, the truth is explained, whatever is chosen for correct cases.
    (case,) = read_vps_list(path, target="detection")
    assert (case.box == (219, 213, 493, 365)) == (section != "case1")


@pytest.mark.parametrize("name", ["predict_category", "predict_class", "pred_label"])
def test_a_failure_holds_what_was_predicted_instead(tmp_path, name):
    (case,) = read_vps_list(write(tmp_path, {"case2": [{**ENTRY, name: "cat"}]}))
    assert (case.label, case.predicted_label) == ("hot dog", "cat")
    assert case.predicted_box == (218, 209, 492, 366)
    (case,) = read_vps_list(write(tmp_path, {"case2": [without("predict_box")]}))
    assert (case.predicted_label, case.predicted_box) == (None, None)
    # A number may count classes, categories or tokens.
    (case,) = read_vps_list(write(tmp_path, {"case2": [{**ENTRY, name: 17}]}))
    assert case.predicted_label is None
    entry = {**ENTRY, name: [1]}
    path = write(tmp_path, {"case2": [entry]})
    (case,) = read_vps_list(path, label_of=lambda caption, places: f"{caption[:3]}{places}")
    assert case.predicted_label == "cat(1,)"


def test_an_iou_that_is_not_given_is_that_of_the_boxes(tmp_path):
    entry = {**without("iou"), "bbox": [0, 0, 10, 10], "predict_box": [0, 0, 10, 5]}
    assert read_vps_list(write(tmp_path, [entry]))[0].iou == pytest.approx(0.5)


def test_odd_entries_are_counted_where_that_is_asked(tmp_path):
    odd = [3, without("bbox"), {**ENTRY, "bbox": [5, 5, 5, 9]}, {**ENTRY, "predict_score": 7}]
    left_out = LeftOut("list.json")
    section, entries = read_entries(write(tmp_path, [*odd, ENTRY, without("category")]), left_out)
    assert (section, [entry.number for entry in entries]) == ("case1", [5])
    assert left_out.counts == {NO_ENTRY: 4, NOT_TOLD: 1}
    lines = " ".join(left_out.lines())
    assert "entry 2: 'bbox' is missing" in lines
    assert "has no area" in lines
    assert "entry 6: an entry has no category" in lines
    with pytest.raises(InputError, match="none of its entries can be used"):
        read_entries(write(tmp_path, odd), LeftOut())


def test_only_a_tokenizer_knows_token_positions(tmp_path):
    path = write(tmp_path, [without("category")])
    with pytest.raises(InputError, match=r"token positions \[3, 4\]: give label_of"):
        read_vps_list(path)
    asked = []
    cases = read_vps_list(path, label_of=lambda *question: asked.append(question) or "hot dog")
    assert asked == [("cat . hot dog .", (3, 4))]
    assert cases[0].label == "hot dog"


@pytest.mark.parametrize(
    "content",
    [
        5,
        [1],
        [without("bbox")],
        [without("image_path", "image_id")],
        [{**ENTRY, "bbox": [1, 2, 3]}],
    ],
)
def test_files_in_another_format(tmp_path, content):
    with pytest.raises(InputError, match=r"list\.json is not in the form of the lists of VPS"):
        read_vps_list(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r"it has no section case1, case2, case3; its keys are \[\]"),
        ({"images": [], "annotations": []}, r"its keys are \['images', 'annotations'\]"),
        ({"case1": None}, "what should be a list of entries is None"),
    ],
)
def test_another_file_in_place_of_a_list(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_vps_list(write(tmp_path, content))


def test_broken_files(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_vps_list(tmp_path / "list.json")
    (tmp_path / "list.json").write_text('[{"bbox": ')
    with pytest.raises(InputError, match="is truncated"):
        read_vps_list(tmp_path / "list.json")
    # Width and height for the far corner.
    with pytest.raises(InputError, match="has no area"):
        read_vps_list(write(tmp_path, [{**ENTRY, "predict_box": [218, 209, 20, 30]}]))


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/vps_lists is not here")
def test_the_published_list():
    import torch

    from vps.core.boxes import iou

    path = REAL / "coco_groundingdino_correct_detection.json"
    cases = read_vps_list(path, target="detection")
    entries = json.loads(path.read_text())
    assert len(cases) == len({case.key for case in cases}) == 394
    assert len({case.label for case in cases}) == 79
    errors = []
    for case, entry in zip(cases, entries, strict=True):
        assert f"{case.image_id:012d}.jpg" == entry["image_path"]
        assert f"{case.label} ." in entry["caption"]
        overlap = iou(torch.tensor([case.box]), torch.tensor([entry["bbox"]]).float())
        errors.append(abs(float(overlap) - case.iou))
    # The list's boxes are rounded, its IoUs were taken before: that tells for small objects.
    assert sorted(errors)[len(errors) // 2] < 0.01
    assert max(errors) < 0.25

"""Studies of the lists of VPS and PhaseWin."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.helpers.studies import BOXES, LOADER, BrightnessDetector, config_of, draw
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
    assert "entry 3: 'unicorn'" in printed
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


class Asked(BrightnessDetector):
    """Asked for other labels, it answers with other names for the same."""

    def __init__(self, labels):
        super().__init__("asked")
        self.labels = tuple(labels)

    def with_labels(self, labels):
        return Asked(labels)

    def detect(self, pixels, size):
        found = super().detect(pixels, size)
        scores = found.scores[..., -1:].expand(-1, -1, len(self.labels))
        return dataclasses.replace(found, scores=scores, labels=self.labels)


def load_asked(name, usual, *, device, dtype, **options):
    return Asked(usual)


def run_one(settings):
    assert run_study(settings, "tests.study.test_given_lists:load_asked", quiet=True) == 0
    return read_list(settings, "drawn").cases


def test_names_of_lvis_join_those_of_the_data_set(drawn):
    content = json.loads((drawn / "objects.json").read_text())
    content["categories"] = [
        {"id": 1, "name": "baseball_bat", "frequency": "f"},
        {"id": 2, "name": "crab_(animal)", "frequency": "r"},
    ]
    for image in content["images"]:
        image |= {"neg_category_ids": [], "not_exhaustive_category_ids": []}
    (drawn / "objects.json").write_text(json.dumps(content))
    settings = config(
        drawn, [entry(1, BOXES[1], "crab_(animal)"), entry(2, BOXES[1], "baseball_bat")]
    )
    data = dataclasses.replace(
        settings.datasets["drawn"], format="lvis", options={"frequencies": ["r"]}
    )
    (case,) = run_one(dataclasses.replace(settings, datasets={"drawn": data}))
    assert (case.label, case.object_id, case.frequency) == ("crab (animal)", 11, "r")
    assert read_list(dataclasses.replace(settings, datasets={"drawn": data}), "drawn").labels == (
        "crab (animal)",
    )


@pytest.mark.parametrize("section", ["case1", "case2"])
def test_phrases_of_refcoco_plus_join_by_the_files_of_their_images(drawn, section):
    (drawn / "images" / "COCO_train2014_000000000001.png").write_bytes(
        (drawn / "images" / "1.png").read_bytes()
    )
    box = ",".join(map(str, BOXES[1]))
    rows = ["image\ttext\tregion_coord"]
    rows += [f"COCO_train2014_000000000001.png\t{text}\t{box}" for text in ("The dog", "a cat")]
    (drawn / "val.tsv").write_text("\n".join(rows) + "\n")
    given = {
        "file_name": "refcoco+/image/COCO_train2014_000000000001.png",
        "id": 77,
        "category": "the dog",
        "bbox": [16, 4, 28, 20],
        "predict_box": [2, 2, 12, 12],
    }
    settings = config(drawn, {"case1": [given], "case2": [given]}, section=section)
    data = dataclasses.replace(
        settings.datasets["drawn"], format="refcoco-tsv", annotations=str(drawn / "val.tsv")
    )
    (case,) = run_one(dataclasses.replace(settings, datasets={"drawn": data}))
    right = section == "case1"
    assert case.kind is (Kind.GROUNDED_RIGHT if right else Kind.GROUNDED_WRONG)
    assert (case.label, case.object_id, case.box) == ("the dog", 2, BOXES[1])
    assert case.predicted_box == (None if right else BOXES[0])

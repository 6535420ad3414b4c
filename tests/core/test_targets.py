import pytest

from vps.core.targets import Kind, Target, target_from_record


def test_older_names_of_the_fields_are_understood():
    record = {"box": [1, 2, 3, 4], "label": "dog", "kind": "classification"}
    expected = Target((1, 2, 3, 4), "dog", Kind.CLASSIFICATION, "cat", (0, 2, 3, 4))
    old = {**record, "said_label": "cat", "said_box": [0, 2, 3, 4]}
    new = {**record, "predicted_label": "cat", "predicted_box": [0, 2, 3, 4]}
    assert target_from_record(old) == target_from_record(new) == expected


def test_an_unknown_field_is_refused():
    with pytest.raises(TypeError, match="colour"):
        target_from_record({"box": [1, 2, 3, 4], "label": "dog", "colour": "red"})

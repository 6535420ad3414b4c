import pytest

from vps.core.schema import build
from vps.core.targets import Kind, Target, with_new_names
from vps.errors import InputError


def test_older_names_of_the_fields_are_understood():
    record = {"box": [1, 2, 3, 4], "label": "dog", "kind": "classification"}
    expected = Target((1, 2, 3, 4), "dog", Kind.CLASSIFICATION, "cat", (0, 2, 3, 4))
    old = {**record, "said_label": "cat", "said_box": [0, 2, 3, 4]}
    new = {**record, "predicted_label": "cat", "predicted_box": [0, 2, 3, 4]}
    for given in (old, new):
        assert build(Target, with_new_names(given)) == expected


def test_an_unknown_field_is_refused():
    with pytest.raises(InputError, match="colour"):
        build(Target, {"box": [1, 2, 3, 4], "label": "dog", "colour": "red"})

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


def test_what_sticks_out_of_the_image_is_cut_off():
    target = Target((-3, 2, 12, 11), "dog", Kind.CLASSIFICATION, "cat", (4, 4, 20, 9))
    assert target.clipped((10, 16)) == Target(
        (0, 2, 12, 10), "dog", Kind.CLASSIFICATION, "cat", (4, 4, 16, 9)
    )


def test_what_lies_inside_stays_the_same():
    target = Target((0, 0, 16, 10), "dog", predicted_box=(1, 1, 2, 2))
    assert target.clipped((10, 16)) is target


def test_most_of_a_box_has_to_lie_inside():
    with pytest.raises(InputError, match="more than half of it does; the image is 16 x 10"):
        Target((-9, 0, 8, 5), "dog").clipped((10, 16))

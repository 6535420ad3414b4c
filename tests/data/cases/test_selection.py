import pytest

from vps.core.targets import Kind
from vps.data.cases.selection import Selection
from vps.errors import InputError


def test_kinds_may_be_text():
    assert Selection(kinds=("missed", Kind.CORRECT)).kinds == (Kind.MISSED, Kind.CORRECT)
    assert Selection().kinds == tuple(Kind)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"score_threshold": 1.2}, "score_threshold must lie in"),
        ({"nms_iou": -0.1}, "nms_iou must lie in"),
        ({"iou_threshold": 0.0}, "background_iou < iou_threshold"),
        ({"iou_threshold": 0.5, "background_iou": 0.5}, "background_iou < iou_threshold"),
        ({"per_kind": 0}, "per_kind must be at least 1"),
        ({"per_image": -1}, "per_image must be at least 1"),
        ({"images": 0}, "images must be at least 1"),
        ({"max_detections": 0}, "max_detections must be at least 1"),
        ({"min_area": float("nan")}, "min_area and seed"),
        ({"seed": -1}, "min_area and seed"),
        ({"kinds": ()}, "kinds: at least one"),
        ({"kinds": ("localization",)}, "did you mean 'localisation'"),
    ],
)
def test_values_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        Selection(**settings)

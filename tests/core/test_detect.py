import numpy as np
import pytest
import torch

from detectors.function import FunctionDetector
from tests.helpers.analytic import LABELS, TARGET, additive, photo, strip_detector
from tests.helpers.objectives import WEIGHTS
from vps import Detection, Kind, Target, detect, explain, visible
from vps.core.candidates import Candidates
from vps.core.detect import as_target
from vps.errors import InputError

BOXES = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10], [40, 40, 50, 50]])
SCORES = torch.tensor([[0.0, 0.6, 0.1], [0.0, 0.9, 0.1], [0.7, 0.0, 0.0], [0.2, 0.0, 0.1]])


def batch() -> Candidates:
    boxes = torch.stack([torch.zeros(4, 4), BOXES])
    return Candidates(boxes, torch.stack([torch.zeros(4, 3), SCORES]), LABELS)


def test_threshold_suppression_within_a_label_and_order():
    found = visible(batch(), 1)
    assert [(one.label, round(one.score, 4)) for one in found] == [("dog", 0.9), ("cat", 0.7)]
    assert found[0].box == (0, 0, 10, 9)


def test_looser_settings_show_more():
    assert len(visible(batch(), 1, nms_iou=0.95)) == 3
    assert [one.score for one in visible(batch(), 1, threshold=0.1)][-1] == pytest.approx(0.2)


def test_padding_is_never_shown():
    assert visible(batch(), 0, threshold=0.0) == []


def test_no_candidates_and_no_labels():
    assert visible(Candidates(torch.zeros(1, 0, 4), torch.zeros(1, 0, 3), LABELS)) == []
    assert visible(Candidates(torch.zeros(1, 5, 4), torch.zeros(1, 5, 0), ())) == []


@pytest.mark.parametrize("settings", [{"index": 2}, {"index": -1}, {"threshold": 1.5}])
def test_out_of_range(settings):
    with pytest.raises(InputError):
        visible(batch(), **settings)
    with pytest.raises(InputError):
        visible(batch(), 1, nms_iou=-0.1)


def test_detect_runs_the_detector():
    found = detect(strip_detector(additive(WEIGHTS)), photo())
    assert found == [Detection(TARGET.box, "dog", pytest.approx(WEIGHTS.sum()))]


def test_a_detection_is_a_target_as_it_is():
    assert as_target(Detection((1, 2, 3, 4), "dog", 0.5)) == Target((1, 2, 3, 4), "dog")
    missed = Target((1, 2, 3, 4), "dog", Kind.MISSED)
    assert as_target(missed) is missed
    with pytest.raises(InputError, match=r"a vps.Target or a vps.Detection, got \(1, 2"):
        as_target((1, 2, 3, 4))


def sticking_out(box=(-30.0, 2.0, 12.0, 11.0)):
    """A detector that gives one box, most of it left of the image, if it sees enough of it."""

    def detect(images):
        scores = images.mean(dim=(1, 2, 3))
        boxes = torch.tensor(box).repeat(len(images), 1, 1)
        return boxes, scores[:, None, None]

    return FunctionDetector(detect, ["dog"])


def test_what_detect_gives_explain_takes():
    detector, image = sticking_out(), np.full((12, 16, 3), 200, np.uint8)
    (found,) = detect(detector, image)
    assert found.box == (0, 2, 12, 11)
    explained = explain(detector, image, found, regions=4, search="greedy", fill="black")
    assert explained.target.box == found.box
    # The whole image has the detection itself, at an IoU of 1.
    assert explained.insertion_iou[-1] == 1
    assert explained.insertion[-1] == pytest.approx(found.score)


def test_a_box_beside_the_image_is_no_detection():
    assert detect(sticking_out((-30, 2, 0, 11)), np.full((12, 16, 3), 200, np.uint8)) == []

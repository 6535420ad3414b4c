import numpy as np
import pytest
import torch

import vps
from tests.helpers.cli import BOX, Bright
from vps.core.asking import check_detector, prepared
from vps.errors import DetectorError, InputError
from vps.results.explanation import Explanation

IMAGE = np.full((32, 40, 3), 240, np.uint8)
TARGET = vps.Target(BOX, "dog")


def preparing(make):
    """A detector whose `prepare` gives what `make` makes of the pixels."""
    detector = Bright()
    usual = detector.prepare
    detector.prepare = lambda image: make(usual(image))
    return detector


def fail(pixels):
    raise ZeroDivisionError("of its library")


BROKEN = {
    "NaN": (lambda pixels: pixels * float("nan"), r"pixels in \[0, 1\].* got nan"),
    "not scaled": (lambda pixels: pixels * 255, r"pixels in \[0, 1\]"),
    "normalised": (lambda pixels: (pixels - 0.5) / 0.2, r"not yet normalised"),
    "an array": (lambda pixels: pixels.numpy(), r"float32 \(3, h, w\), got array"),
    "a batch": (lambda pixels: pixels[None], r"got torch.float32 \(1, 3, 32, 40\)"),
    "another type": (lambda pixels: pixels.double(), r"got torch.float64"),
    "empty": (lambda pixels: pixels[:, :0], r"\(3, 0, 40\)"),
    "nothing": (lambda pixels: None, r"got None"),
    "an error": (fail, "preparing an image failed: of its library"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_prepare_owes(name):
    make, message = BROKEN[name]
    detector = preparing(make)
    for ask in (
        lambda: prepared(detector, IMAGE),
        lambda: vps.detect(detector, IMAGE),
        lambda: vps.explain(detector, IMAGE, TARGET, regions=4, region_method="grid"),
    ):
        with pytest.raises(DetectorError, match=f"^bright: .*{message}"):
            ask()


def test_resampling_may_leave_the_range_a_little():
    pixels = prepared(preparing(lambda pixels: pixels * 1.3), IMAGE)
    assert pixels.max() > 1


def test_what_a_library_raises_is_kept_behind():
    with pytest.raises(DetectorError) as caught:
        prepared(preparing(fail), IMAGE)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_what_detect_owes():
    detector = Bright()
    for given, message in (
        (None, "must give vps.Candidates, got None"),
        (Bright().detect(torch.zeros(2, 3, 32, 40), (32, 40)), "1 images went in, 2 came out"),
        (
            vps.Candidates(torch.zeros(1, 1, 4), torch.zeros(1, 1, 1), ("dog",)),
            "not the detector's labels",
        ),
    ):
        detector.detect = lambda pixels, size, given=given: given
        with pytest.raises(DetectorError, match=message):
            vps.detect(detector, IMAGE)


class Nameless(Bright):
    name = 3


class OneLabel(Bright):
    labels = "dog"


@pytest.mark.parametrize("detector", [None, "a.pt", torch.nn.Linear(1, 1), Bright, Nameless()])
def test_what_is_no_detector(detector):
    with pytest.raises(InputError, match="detector"):
        check_detector(detector)
    with pytest.raises(InputError, match="detector"):
        vps.detect(detector, IMAGE)


def test_labels_that_are_one_text():
    with pytest.raises(InputError, match="labels of a detector are a tuple of texts, got 'dog'"):
        check_detector(OneLabel())


def explained(**changes) -> Explanation:
    settings = {"regions": 4, "region_method": "grid", "search": "leave_one_out", **changes}
    return vps.explain(Bright(), settings.pop("image", IMAGE), TARGET, **settings)


ODD = ([], {}, object(), 1j, "x", b"x", np.zeros(3), float("nan"), None, -1, 10**30, print)


@pytest.mark.parametrize("name", ["image", "regions", "batch_size", "lambdas", "mode", "fill"])
def test_odd_arguments_are_one_error(name):
    for value in ODD:
        with pytest.raises(InputError) as caught:
            explained(**{name: value})
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda value: vps.Target(value, "dog"), "a box needs four"),
        (lambda value: vps.Target(BOX, "dog", value), "unknown kind"),
        (lambda value: vps.detect(Bright(), IMAGE, value), "threshold"),
        (lambda value: vps.make_regions(torch.rand(3, 8, 8), value), "number of regions"),
        (lambda value: vps.measure(value), "a vps.Explanation"),
        (lambda value: vps.Regions(value, "mine"), "a label map must"),
        (lambda value: vps.regions_from_masks(value), "masks must be"),
    ],
)
def test_odd_values_are_one_error(call, message):
    for value in ODD:
        with pytest.raises(InputError, match=message):
            call(value)


def test_label_maps_do_not_wrap():
    labels = np.zeros((4, 4), np.int64)
    labels[0] = 2**32 + 1  # 1 in 32 bits
    with pytest.raises(InputError, match="each of the numbers"):
        vps.Regions(labels, "mine")


def test_measures_check_what_else_is_known():
    found = explained()
    with pytest.raises(InputError, match="a box needs"):
        vps.measure(found, truth_box=(1, 2, 3))
    for mask in (np.ones((2, 2), bool), np.ones(IMAGE.shape[:2]), "mask"):
        with pytest.raises(InputError, match=r"a mask must be bool of the image's size \(32, 40\)"):
            vps.measure(found, mask=mask)
    with pytest.raises(InputError, match="settings are MetricSettings"):
        vps.measure(found, settings=[])

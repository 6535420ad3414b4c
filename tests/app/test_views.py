import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

from tests.helpers.analytic import TARGET, additive, photo, strip_detector
from tests.helpers.objectives import WEIGHTS
from tests.helpers.words import two_words
from vps import Explanation, explain
from vps.app import views
from vps.app.asking import Answered, Heard, How, Question, Why
from vps.app.pictures import address, map_picture, page_pixels, step_picture
from vps.core.detect import Detection
from vps.engine.budget import Progress

MARKUP = "<img src=x onerror=alert(1)>"
WORDS = two_words("the <b>dog", 0.7, 0.7, 0.5, passes=9)


@pytest.fixture(scope="module")
def found() -> Explanation:
    detector = strip_detector(additive(WEIGHTS))
    return explain(detector, photo(), TARGET, regions=detector.regions, fill="black")


def pixels(source: str) -> np.ndarray:
    data = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_viewer_gets_plain_values():
    value = views.viewer("data:x", (20, 30), [Detection((1, 2, 3, 4), MARKUP, 0.51234)], chosen=0)
    assert value["boxes"] == [{"box": [1, 2, 3, 4], "label": MARKUP, "score": 0.512}]
    assert (value["width"], value["height"], value["chosen"]) == (30, 20, 0)


def test_a_picture_is_its_own_address():
    assert pixels(address(photo())).shape == (12, 16, 3)
    assert page_pixels(photo(90, 1800)).shape == (45, 900, 3)


def test_a_step_shows_what_the_detector_saw(found):
    shown = np.asarray(step_picture(found, photo(), 0, "shown"))
    assert not shown.any()  # all is hidden by black, and nothing is found
    whole = np.asarray(step_picture(found, photo(), 0, "hidden"))
    outside = np.s_[:, 13:]
    np.testing.assert_array_equal(whole[outside], photo()[outside])
    assert np.asarray(map_picture(found, photo())).shape == (12, 16, 3)


def test_the_step_is_told_in_numbers(found):
    text = views.at_step([("vps", found)], photo(), 2, "shown")
    assert f"2 of 6 regions shown, 33 % of the image: score {found.insertion[2]:.2f}" in text
    text = views.at_step([("vps", found), ("box", found)], photo(), 99, "hidden")
    assert "vps: 6 of 6 regions hidden, 100 % of the image: not found" in text
    assert text.count("<img") == 2


def test_curves_end_where_they_should(found):
    text = views.curves([("vps", found)], 3)
    lines = re.findall(r'<polyline points="([^"]+)"', text)
    assert [len(line.split()) for line in lines] == [7, 7]
    first, last = lines[0].split()[0], lines[0].split()[-1]
    assert first == "34.0,144.0"  # nothing shown, score 0: the corner of the axes
    assert last == "312.0,8.0"  # all shown, the highest score
    assert f"{found.insertion_auc:.3f}" in text
    assert 'class="vps-now"' in text
    two = views.curves([("vps", found), (MARKUP, found)])
    assert two.count("<polyline") == 4
    assert "<img" not in two


def test_progress_is_told_with_what_is_left():
    heard = Heard(Progress(50), 200, None)
    text = views.running(heard, 10.0, MARKUP)
    assert "50 of at most 200 passes, 10 s, at most 30 s left" in text
    assert '<progress max="200" value="50">' in text
    assert "<img" not in text
    assert "Looking" in views.running(None, 0.0)
    assert "1 computation of others" in views.waiting(1)
    assert "3 computations of others" in views.waiting(3)


def test_no_text_becomes_markup(found):
    odd = dataclasses.replace(found, warnings=(MARKUP,), detector=MARKUP)
    one = Answered(Question(Why.MAP, 0), How(), odd, failure=MARKUP)
    for text in (
        views.answers([one], photo()),
        views.maps([(MARKUP, odd)], photo()),
        views.problem(MARKUP),
        views.note(MARKUP),
        views.words(WORDS),
        views.answers([Answered(Question(Why.WORDS, 0), How(), None, WORDS)], photo()),
    ):
        assert "<img src=x" not in text
        assert "<b>dog" not in text


def test_words_are_coloured_by_what_they_matter():
    text = views.words(WORDS)
    assert "rgba(240,176,0,0.00)" in text
    assert "rgba(240,176,0,1.00)" in text
    assert "(0.70 with all)" in text

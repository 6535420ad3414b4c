import base64
import dataclasses
import html
import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageShow

from tests.helpers.analytic import TARGET, by_score, photo, strip_detector
from tests.helpers.words import two_words
from vps import (
    Answer,
    Explanation,
    InputError,
    Kind,
    OutputError,
    Target,
    explain,
    explain_failure,
)

RIGHTLY = two_words("red <dog>", 0.7, 0.68, 0.5, passes=4)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def found() -> Explanation:
    detector = strip_detector(by_score(lambda keep: 0.9 * keep[2]))
    return explain(detector, photo(), TARGET, regions=detector.regions)


@pytest.fixture(scope="module")
def answer() -> Answer:
    detector = strip_detector(by_score(lambda keep: 0.7 * (not keep[3])))
    missed = Target(TARGET.box, "dog", Kind.MISSED)
    return explain_failure(detector, photo(), missed, regions=detector.regions)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_what_was_computed_here_draws_itself_on_its_image(found, answer):
    np.testing.assert_array_equal(found.image.pixels, photo())
    np.testing.assert_array_equal(answer.image.pixels, photo())
    np.testing.assert_array_equal(answer.explanation.image.pixels, photo())
    assert isinstance(found.figure(), Figure)
    assert [axes.get_title(loc="left") for axes in answer.figure().axes][0] == "Before"


@pytest.mark.parametrize("name", ["found", "answer"])
def test_a_cell_shows_a_picture_with_its_sentence(name, request):
    one = request.getfixturevalue(name)
    shown = one._repr_html_()
    data = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert base64.b64decode(data.group(1)) == one._repr_png_()
    assert pixels(one._repr_png_()).std() > 10
    about = one.sentence() if name == "answer" else "dog at 2 2 10 10 (correct), rule, by vps"
    assert html.escape(about) in shown


def test_words_show_themselves_without_an_image():
    assert RIGHTLY.sentence() in html.unescape(RIGHTLY._repr_html_())
    assert pixels(RIGHTLY._repr_png_()).shape[1] == 1080
    assert isinstance(RIGHTLY.figure(), Figure)
    assert repr(RIGHTLY) == f"WordAnswer({RIGHTLY.sentence()})"


def test_labels_are_no_markup(found):
    target = dataclasses.replace(found.target, label='<b onload="x">')
    odd = dataclasses.replace(found, target=target)
    assert "<b" not in odd._repr_html_()


def test_repr_is_short(found, answer):
    assert repr(found).startswith("Explanation(dog at 2 2 10 10 (correct), rule, by vps: insertion")
    assert len(repr(found)) < 150
    assert repr(answer) == f"Answer({answer.sentence()})"


def test_what_comes_from_files_lacks_the_image_until_it_is_given(found, tmp_path):
    found.save(tmp_path / "one")
    loaded = Explanation.load(tmp_path / "one")
    assert loaded == found
    assert loaded.image is None
    with pytest.raises(InputError, match="not kept in files"):
        loaded.figure()
    grey = loaded._repr_png_()
    Image.fromarray(photo()).save(tmp_path / "photo.png")
    assert loaded.figure(tmp_path / "photo.png")
    assert loaded.with_image(tmp_path / "photo.png") is loaded
    assert loaded._repr_png_() != grey
    np.testing.assert_array_equal(pixels(loaded._repr_png_()), pixels(found._repr_png_()))
    with pytest.raises(InputError, match="this one has"):
        loaded.with_image(photo(5, 5))


def test_the_image_that_is_kept_is_a_small_copy():
    detector = strip_detector(by_score(lambda keep: 0.9 * keep[2]))
    image = photo()
    kept = explain(detector, image, TARGET, regions=detector.regions)
    image[:] = 0
    np.testing.assert_array_equal(kept.image.pixels, photo())


def test_show_displays_in_a_notebook_and_opens_a_window_elsewhere(found, monkeypatch):
    windows, cells = [], []
    monkeypatch.setattr(ImageShow, "show", lambda picture: windows.append(picture) or True)
    found.show()
    assert np.asarray(windows[0]).std() > 10
    display = SimpleNamespace(display=cells.append, Image=lambda data: SimpleNamespace(data=data))
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), display=display)
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    found.show(photo())
    np.testing.assert_array_equal(pixels(cells[0].data), pixels(found._repr_png_()))
    assert len(windows) == 1


def test_show_without_anything_that_shows_says_what_to_do(found, monkeypatch):
    monkeypatch.setattr(ImageShow, "show", lambda picture: False)
    with pytest.raises(OutputError, match="save the figure"):
        found.show()

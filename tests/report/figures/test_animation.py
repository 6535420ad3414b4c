import dataclasses
import itertools
import sys

import numpy as np
import pytest
from PIL import Image

from tests.helpers.analytic import TARGET, additive, photo, strip_detector
from tests.helpers.objectives import WEIGHTS
from vps import Explanation, InputError, MissingExtraError, OutputError, explain
from vps.report.figures import animation
from vps.report.figures.steps import step_pixels


@pytest.fixture(scope="module")
def found() -> Explanation:
    detector = strip_detector(additive(WEIGHTS))
    return explain(detector, photo(), TARGET, regions=detector.regions, fill="black")


def test_a_step_shows_or_hides_the_first_regions(found):
    image = photo()
    first = found.label_map == found.order[0]
    shown = step_pixels(found, image, 1, "shown")
    np.testing.assert_allclose(shown[first], image[first] / 255)
    assert not shown[~first].any()
    hidden = step_pixels(found, image, 1, "hidden")
    np.testing.assert_allclose(hidden[~first], image[~first] / 255)
    assert not hidden[first].any()
    np.testing.assert_allclose(step_pixels(found, image, 6, "shown"), image / 255)


def test_a_film_has_a_picture_for_each_step_and_stays_at_the_last(found, tmp_path):
    path = found.animate(tmp_path / "new" / "order.gif", seconds=3.5, dpi=40)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        durations, pictures = [], []
        for number in range(film.n_frames):
            film.seek(number)
            durations.append(film.info["duration"])
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
    assert len(pictures) == 7  # m + 1; pictures that are equal become one that stays
    assert durations[0] == 500
    assert sum(durations) == 4500
    assert all(np.abs(one - other).max() > 50 for one, other in itertools.pairwise(pictures))


def test_many_steps_are_thinned_out():
    assert animation._steps(4, 8.0) == [0, 1, 2, 3, 4]
    thinned = animation._steps(500, 8.0)
    assert (thinned[0], thinned[-1], len(thinned)) == (0, 500, 200)


def test_what_cannot_be_a_film(found, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="a .gif or an .mp4"):
        found.animate(tmp_path / "order.avi")
    with pytest.raises(InputError, match="more than 0 seconds"):
        found.animate(tmp_path / "order.gif", seconds=0)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        found.animate(tmp_path / "file" / "order.gif", dpi=20)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtraError, match="video"):
        found.animate(tmp_path / "order.mp4", dpi=20)
    loaded = dataclasses.replace(found)
    with pytest.raises(InputError, match="not kept in files"):
        loaded.animate(tmp_path / "order.gif")


def test_an_mp4(found, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = found.animate(tmp_path / "order.mp4", seconds=1, dpi=40)
    frames, _ = ffmpeg.count_frames_and_secs(path)
    assert frames == 14

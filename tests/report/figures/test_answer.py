import dataclasses

import numpy as np
import pytest
from matplotlib.text import Text

from tests.helpers.analytic import (
    TARGET,
    by_score,
    constant,
    per_label,
    photo,
    scattered,
    strip_detector,
)
from tests.helpers.words import two_words
from vps.core.targets import Kind, Target
from vps.errors import InputError
from vps.explaining.failure import explain_failure
from vps.report.figures.answer import draw_answer, save_answer_figure, save_figures
from vps.results.answer import Answer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def answer(rule, kind=Kind.MISSED, **settings) -> Answer:
    detector = strip_detector(rule, 12)
    target = Target(TARGET.box, "dog", kind, "cat")
    return explain_failure(detector, photo(), target, regions=detector.regions, **settings)


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


@pytest.mark.parametrize("fill", ["mean", "blur", (0.2, 0.3, 0.4)])
def test_before_what_is_hidden_and_after(fill, tmp_path):
    found = answer(by_score(lambda keep: 0.7 * keep[3] * (not keep[8])), fill=fill)
    figure = draw_answer(found, photo())
    assert titles(figure) == ["Before", "What is hidden: 8 %", "After"]
    texts = [text.get_text() for text in figure.findobj(match=Text)]
    assert "dog 0.00" in texts
    assert "dog 0.70" in texts
    assert any(text.startswith("The dog is missed; hiding") for text in texts)
    path = save_answer_figure(found, photo(), tmp_path / "new" / "one.svg")
    assert path.stat().st_size > 1000


def test_without_a_set_there_is_only_the_first_panel():
    found = answer(constant(0.0))
    assert titles(draw_answer(found, photo())) == ["Before", "", ""]


@pytest.mark.parametrize("kind", [Kind.CORRECT, Kind.BACKGROUND])
def test_what_suffices_and_what_is_needed_stand_side_by_side(kind):
    found = answer(by_score(lambda keep: 0.9 * keep[2]), kind)
    assert titles(draw_answer(found, photo())) == ["Before", "Shown alone: 8 %", "Hidden: 8 %"]


def test_the_maps_are_drawn_beside_the_answer(tmp_path):
    weights = np.zeros((12, 3))
    weights[1, 0], weights[2, 1] = 0.6, 0.5
    found = answer(per_label(weights), Kind.CLASSIFICATION)
    assert save_figures(found, photo(), tmp_path / "a.b", "png").name == "a.b_answer.png"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.b.png", "a.b_answer.png", "a.b_rival.png"]


def test_a_rival_stands_in_the_first_panel():
    weights = np.zeros((12, 3))
    weights[1, 0], weights[2, 1] = 0.6, 0.5
    found = answer(per_label(weights), Kind.CLASSIFICATION)
    texts = [text.get_text() for text in draw_answer(found, photo()).findobj(match=Text)]
    assert "cat 0.60, dog 0.50" in texts


@pytest.mark.parametrize("size", [(20, 1), (1, 20), (1, 1), (5000, 1)])
def test_images_of_a_single_row_or_column_are_drawn(size, tmp_path):
    found = answer(by_score(lambda keep: 0.7 * keep[3] * (not keep[8])))
    target = dataclasses.replace(found.target, box=(0.0, 0.0, float(size[1]), float(size[0])))
    narrow = dataclasses.replace(found.explanation, image_size=size, target=target)
    found = dataclasses.replace(found, explanation=narrow, target=target)
    assert save_answer_figure(found, photo(*size), tmp_path / "f.png", dpi=50).stat().st_size


def test_another_image_is_refused():
    with pytest.raises(InputError, match="pixels"):
        draw_answer(answer(constant(0.5)), photo(20, 20))


def test_one_label_on_two_boxes_is_told_apart():
    detector = strip_detector(scattered(), 12)
    target = Target(TARGET.box, "dog", Kind.GROUNDED_WRONG, predicted_box=(5, 1, 16, 12))
    found = explain_failure(detector, photo(), target, regions=detector.regions)
    texts = [text.get_text() for text in draw_answer(found, photo()).axes[0].texts]
    assert [text.split(" ")[0] for text in texts] == ["detected", "true"]


def test_words_come_below_the_panels_and_are_said():
    found = answer(constant(0.6), Kind.CORRECT)
    words = dataclasses.replace(two_words("the dog", 0.6, 0.6, 0.6, passes=4), said=TARGET.box)
    plain = draw_answer(found, photo())
    figure = draw_answer(dataclasses.replace(found, words=words), photo())
    assert len(figure.axes) == len(plain.axes) + 1
    assert figure.get_figheight() > plain.get_figheight()
    row = figure.axes[-1].get_position()
    assert row.y1 < min(axes.get_position().y0 for axes in figure.axes[:-1])
    (caption,) = figure.texts
    assert 'of the words, it goes by "dog"; without "dog", it finds nothing.' in " ".join(
        caption.get_text().split()
    )
    assert caption.get_position()[1] < row.y0


def test_picture_and_sentence_quote_the_same_candidate():
    """The loose box attains IoU x score, but only the one above it is found, at 0.36."""

    def rule(keep):
        boxes = np.array([(2.0, 6.7, 10.0, 10.0), (2.0, 2.0, 10.0, 6.3)])
        return boxes, np.array([[0, 0.9, 0], [0, 0.36, 0]]) * (not keep[8])

    found = answer(rule)
    texts = [text.get_text() for text in draw_answer(found, photo()).findobj(match=Text)]
    assert found.repair.class_score == pytest.approx(0.9)
    assert found.repair.found_box == pytest.approx((2.0, 2.0, 10.0, 6.3))
    assert "dog 0.36" in texts
    assert "at 0.36" in found.sentence()
    assert not any("0.90" in text for text in texts)

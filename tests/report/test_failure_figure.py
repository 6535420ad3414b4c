import numpy as np
import pytest
from matplotlib.text import Text

from tests.analytic import TARGET, by_score, constant, per_label, photo, strip_detector
from vps.answer import Answer
from vps.errors import InputError
from vps.failures import explain_failure
from vps.report.failure_figure import draw_answer, save_answer_figure, shown_set
from vps.targets import Kind, Target

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
    assert any(text.startswith("The dog was missed because") for text in texts)
    path = save_answer_figure(found, photo(), tmp_path / "new" / "one.svg")
    assert path.stat().st_size > 1000


def test_without_a_set_there_is_only_the_first_panel():
    found = answer(constant(0.0))
    assert shown_set(found) is None
    assert titles(draw_answer(found, photo())) == ["Before", "", ""]


def test_a_rival_stands_in_the_first_panel():
    weights = np.zeros((12, 3))
    weights[1, 0], weights[2, 1] = 0.6, 0.5
    found = answer(per_label(weights), Kind.CLASSIFICATION)
    texts = [text.get_text() for text in draw_answer(found, photo()).findobj(match=Text)]
    assert "cat 0.60, dog 0.50" in texts


def test_another_image_is_refused():
    with pytest.raises(InputError, match="pixels"):
        draw_answer(answer(constant(0.5)), photo(20, 20))

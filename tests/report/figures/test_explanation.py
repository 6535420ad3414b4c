import dataclasses

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from tests.helpers.analytic import photo
from vps.core.targets import Kind, Target
from vps.errors import InputError
from vps.report.figures.explanation import draw_explanation, save_figure
from vps.report.figures.panels import coloured, shortened


def resized(explanation, size):
    """The same explanation of an image of (H, W)."""
    height, width = explanation.image_size
    scale = np.array([size[1] / width, size[0] / height] * 2)
    return dataclasses.replace(
        explanation,
        image_size=size,
        target=Target(tuple(np.array(explanation.target.box) * scale), "dog"),
        insertion_boxes=explanation.insertion_boxes * scale,
    )


def texts(figure):
    return [text.get_text() for text in figure.findobj(match=Text)]


@pytest.mark.parametrize("size", [(20, 40), (300, 100), (50, 50), (90, 160), (10, 300), (2, 2)])
def test_images_of_all_shapes_give_panels_inside_the_figure_that_do_not_overlap(explanation, size):
    figure = draw_explanation(resized(explanation, size), photo(*size))
    figure.canvas.draw()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


@pytest.mark.parametrize("size", [(20, 40), (300, 100), (60, 50), (90, 160)])
def test_captions_keep_to_their_panel(explanation, size):
    named = dataclasses.replace(resized(explanation, size), detector="a detector " * 20)
    figure = draw_explanation(named, photo(*size))
    figure.canvas.draw()
    panels = figure.axes[:3]
    for axes in (panels[0], panels[2]):
        caption = axes.texts[-1].get_window_extent()
        assert caption.y0 >= 0
        assert not any(caption.overlaps(other.get_window_extent()) for other in figure.axes[:4])


@pytest.mark.parametrize(
    "size", [(20, 1), (1, 20), (1, 1), (5000, 1), (1, 5000), (5000, 2), (9000, 3)]
)
def test_images_of_a_single_row_or_column_are_drawn(explanation, size, tmp_path):
    path = save_figure(resized(explanation, size), photo(*size), tmp_path / "f.png", dpi=50)
    assert Image.open(path).width > 100


def test_the_numbers_are_those_of_the_explanation(explanation):
    shown = " ".join(texts(draw_explanation(explanation, photo(20, 40))))
    assert f"AUC {explanation.insertion_auc:.3f}" in shown
    assert f"AUC {explanation.deletion_auc:.3f}" in shown
    assert f"whole image {explanation.insertion[-1]:.2f}" in shown
    count = explanation.smallest_sufficient()
    assert f"{count} of 4 regions" in shown.replace("\n", " ")
    assert "a doubt" in shown


def test_the_box_is_drawn_where_it_is(explanation):
    figure = draw_explanation(explanation, photo(20, 40))
    rectangle = figure.axes[0].patches[0]
    x1, y1, x2, y2 = explanation.target.box
    # A pixel's centre is at a whole number, its edge half a pixel before.
    assert rectangle.get_xy() == (x1 - 0.5, y1 - 0.5)
    assert (rectangle.get_width(), rectangle.get_height()) == (x2 - x1, y2 - y1)


def test_boxes_over_the_border_leave_the_panels_as_large_as_the_image(explanation):
    large = np.tile([-5.0, -5.0, 60.0, 30.0], (5, 1))
    target = dataclasses.replace(explanation.target, box=(-3.0, -3.0, 44.0, 22.0))
    figure = draw_explanation(
        dataclasses.replace(explanation, insertion_boxes=large, target=target), photo(20, 40)
    )
    figure.canvas.draw()
    for axes in figure.axes[:3]:
        assert axes.get_xlim() == (-0.5, 39.5)
        assert axes.get_ylim() == (19.5, -0.5)


def test_a_missed_object_is_called_missed(explanation):
    target = dataclasses.replace(explanation.target, kind=Kind.MISSED)
    shown = texts(draw_explanation(dataclasses.replace(explanation, target=target), photo(20, 40)))
    assert any("missed by" in text.replace("\n", " ") for text in shown)


def test_scores_of_zero_give_a_figure_without_nan(explanation):
    zero = np.zeros(5)
    blank = dataclasses.replace(
        explanation, **dict.fromkeys(("insertion", "deletion", "objective"), zero)
    )
    with pytest.warns(UserWarning, match="constant"):
        figure = draw_explanation(blank, photo(20, 40))
    figure.canvas.draw()
    shown = " ".join(texts(figure)).replace("\n", " ")
    assert "nothing to keep" in shown
    assert "nan" not in shown.lower().split()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures_are_written_by_suffix(explanation, tmp_path, suffix):
    path = save_figure(explanation, photo(20, 40), tmp_path / "new" / f"figure.{suffix}", dpi=50)
    assert path.stat().st_size > 1000
    if suffix == "png":
        assert Image.open(path).width > 300


def test_what_cannot_be_drawn_is_refused(explanation, tmp_path):
    with pytest.raises(InputError, match="of an image of"):
        draw_explanation(explanation, photo(21, 40))
    with pytest.raises(InputError, match="cannot be drawn"):
        save_figure(explanation, photo(20, 40), tmp_path / "figure.xyz")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        save_figure(explanation, photo(20, 40), tmp_path / "file" / "figure.png")


def test_higher_values_are_brighter_whatever_lies_below():
    for grey in (0.0, 0.5, 1.0):
        colours = coloured(np.linspace(0.3, 1, 20)[None], grey)
        assert colours.min() >= 0
        assert colours.max() <= 1
    bright = coloured(np.array([[0.0, 1.0]]), 0.5) @ np.array([0.299, 0.587, 0.114])
    assert bright[0, 1] > bright[0, 0] + 0.2


def test_labels_are_no_formulas(explanation):
    target = dataclasses.replace(explanation.target, label="a $x^{$ thing")
    figure = draw_explanation(dataclasses.replace(explanation, target=target), photo(20, 40))
    figure.canvas.draw()
    assert "a $x^{$ thing" in texts(figure)


def test_long_labels_are_shortened():
    assert shortened("the red circle", 20) == "the red circle"
    assert shortened("the red circle", 8) == "the red\u2026"

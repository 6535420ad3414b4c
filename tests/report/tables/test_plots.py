import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from tests.helpers.study_rows import repair_rows, study_rows
from vps.report.tables.plots import (
    draw_kinds,
    draw_mean_curves,
    draw_passes,
    without_passes,
    write_plots,
)
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import summarise

SETTINGS = ReportSettings(draws=50)
METHODS = ["vps", "drise", "random"]


@pytest.fixture(scope="module")
def rows():
    return study_rows()


@pytest.fixture(scope="module")
def summary(rows):
    return summarise(rows, name="study", settings=SETTINGS)


def test_curves_are_means_on_a_common_grid(rows):
    figure = draw_mean_curves(rows, METHODS, SETTINGS)
    # Deletion is a straight line in all cases, so its mean is one whatever the areas.
    lines = {line.get_label().split()[0]: line for line in figure.axes[1].lines}
    full = np.mean([row["curves"]["deletion"][0] for row in rows if row["method"] == "vps"])
    x, y = lines["vps"].get_data()
    assert y == pytest.approx(full * (1 - x / 100))


def test_legends_stand_in_the_order_of_the_curves(rows):
    figure = draw_mean_curves(rows, METHODS, SETTINGS)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [text.split()[0] for text in texts] == ["vps", "drise", "random"]


def test_legends_of_many_methods_stand_below_the_axes(rows):
    more = [{**row, "method": f"{row['method']} {k}"} for k in range(3) for row in rows]
    figure = draw_mean_curves(more, list(dict.fromkeys(row["method"] for row in more)), SETTINGS)
    figure.canvas.draw()
    for axes in figure.axes:
        box = axes.get_legend().get_window_extent()
        assert 0 <= box.y0 < box.y1 <= axes.xaxis.label.get_window_extent().y0


def test_bars_are_the_means_of_the_summary(summary):
    methods = summary["datasets"]["coco"]["methods"]
    figure = draw_kinds(methods, METHODS)
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.containers[1]]
    kinds = ["correct", "classification", "background", "missed"]
    groups = [methods["drise"]["all"], *(methods["drise"]["kind"][kind] for kind in kinds)]
    assert heights == [group["metrics"]["insertion"]["mean"] for group in groups]
    assert axes.get_xticklabels()[0].get_text() == "all\nn = 12"


def test_names_of_points_at_the_same_place_do_not_overlap(rows):
    more = [{**row, "method": "random too"} for row in rows if row["method"] == "random"]
    figure = draw_passes(rows + more, [*METHODS, "random too"], SETTINGS)
    figure.canvas.draw()
    names = {text.get_text(): text for text in figure.findobj(match=Text) if text.get_text()}
    boxes = [names[name].get_window_extent() for name in ("random", "random too")]
    assert not boxes[0].overlaps(boxes[1])


def test_files_are_written_for_each_data_set(rows, tmp_path):
    both = rows + study_rows(2, "a/b", ("drise",))
    summary = summarise(both, name="study", settings=SETTINGS)
    written = write_plots(tmp_path, both, summary, SETTINGS)
    names = [path.stem.split("~")[0] for path in written["a/b"]]
    assert names == ["curves_a_b", "passes_a_b", "kinds_a_b"]
    assert [path.stem for path in written["coco"]][-1] == "ranks_coco"
    for path in written["coco"]:
        assert Image.open(path).width > 800
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_repairs_have_a_file_where_there_are_some(tmp_path):
    rows = repair_rows()
    written = write_plots(
        tmp_path, rows, summarise(rows, name="study", settings=SETTINGS), SETTINGS
    )
    assert [path.name for path in written["coco"]][-1] == "repairs_coco.png"


def test_passes_in_names():
    assert without_passes("drise@500") == without_passes("drise") == "drise"
    assert without_passes("odd@name") == "odd@name"
    assert without_passes("@500") == "@500"


def test_a_method_at_several_numbers_of_passes_is_one_line():
    rows = study_rows()
    for row in rows:
        row["method"] += "@20" if row["image_id"] % 2 else "@10"
        row["metrics"]["passes"] = 20.0 if row["image_id"] % 2 else 10.0
    methods = [f"{name}@{passes}" for passes in (10, 20) for name in METHODS]
    (axes,) = draw_passes(rows, methods, SETTINGS).axes
    lines = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in lines] == list(METHODS)
    assert [line.get_xdata().tolist() for line in lines] == [[10, 20]] * 3
    assert [text.get_text() for text in axes.texts] != []


@pytest.mark.parametrize("stem", ["method", "a method with a long name"])
def test_many_methods_are_named_in_a_legend_and_look_different(stem):
    methods = [f"{stem} {number}" for number in range(24)]
    rows = [
        {**row, "method": name}
        for name in methods
        for row in study_rows()
        if row["method"] == "random"
    ]
    figure = draw_passes(rows, methods, SETTINGS)
    (axes,) = figure.axes
    assert not axes.texts
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == methods
    figure.draw_without_rendering()
    inside, around = legend.get_window_extent(), figure.bbox
    assert inside.x0 >= around.x0
    assert inside.x1 <= around.x1
    lines = [line for line in axes.lines if line.get_label() in methods]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 24

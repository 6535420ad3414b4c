"""Ranks of methods in a report."""

import numpy as np

from tests.helpers.study_rows import study_rows
from vps.report.tables.ranking import draw_ranks, rank_summary, ranks_markdown
from vps.report.tables.results import results_of


def by_method(rows):
    results = results_of(rows)
    return {method: results.where(method=method) for method in results.values("method")}


def test_images_are_ranked_by_the_mean_of_their_cases():
    rows = study_rows()
    found = rank_summary(by_method(rows))
    means = {}
    for row in rows:
        value = row["metrics"]["insertion"] - row["metrics"]["deletion"]
        means.setdefault(row["image_id"], {}).setdefault(row["method"], []).append(value)
    ranks = {name: [] for name in found["methods"]}
    for image in means.values():
        order = sorted(image, key=lambda name: -np.mean(image[name]))
        for place, name in enumerate(order, start=1):
            ranks[name].append(place)
    assert found["images"] == len(means) == 6
    expected = [float(np.mean(ranks[name])) for name in found["methods"]]
    np.testing.assert_allclose(found["mean_ranks"], expected)
    assert found["mean_ranks"] == sorted(found["mean_ranks"])


def test_only_cases_that_all_methods_have_count():
    rows = study_rows()
    less = [row for row in rows if not (row["method"] == "drise" and row["image_id"] == 100)]
    assert rank_summary(by_method(less))["images"] == 5
    assert rank_summary(by_method([row for row in rows if row["method"] != "drise"])) is None
    assert rank_summary(by_method([row for row in rows if row["image_id"] == 100])) is None


def test_the_table_and_the_plot_name_all_methods():
    found = rank_summary(by_method(study_rows()))
    text = ranks_markdown("coco", found)
    assert "over 6 images" in text
    assert all(f"| {name} |" in text for name in ("vps", "drise", "random"))
    shown = [text.get_text() for text in draw_ranks(found).axes[0].texts]
    assert sum(any(name in text for text in shown) for name in found["methods"]) == 3

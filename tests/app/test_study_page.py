"""The page of a finished study, in a browser."""

from collections.abc import Iterator

import pytest

from tests.helpers.browser import Tab
from tests.helpers.studies import LOADER, config_of, draw
from vps.study.finished import FinishedStudy
from vps.study.study import run_study


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    pytest.importorskip("gradio")
    from vps.app.server import ServerSettings, launch, private_folder
    from vps.app.study_page import StudyPage

    folder = tmp_path_factory.mktemp("study")
    draw(folder, 2)
    config = config_of(folder, select={"score_threshold": 0.2, "per_image": 1})
    run_study(config, LOADER, quiet=True)
    with private_folder():
        page = StudyPage(FinishedStudy(config.out))
        yield launch(page.demo, ServerSettings(port=0), block=False)
        page.demo.close()


def test_cases_are_browsed_with_the_views_of_the_page(browser, address):
    tab = Tab(browser, address)
    tab.explained()
    assert tab.page.locator("#maps img").count() == 2
    assert "vps: " in tab.text("maps")
    assert "greedy" in tab.text("maps")
    first = tab.map()
    tab.page.get_by_label("Case").click()
    tab.page.get_by_role("option").nth(1).click()
    tab.page.wait_for_function(
        "first => document.querySelector('#maps img')?.src !== first", arg=first
    )
    tab.page.locator("#step input[type=number]").fill("6")
    tab.page.locator("#step input[type=number]").press("Enter")
    tab.says("at-step", "6 of 6 regions shown, 100 % of the image")
    tab.context.close()
    assert tab.wrong == []

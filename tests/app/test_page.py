"""The page in a browser: what a visitor does, and what it shows."""

import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.helpers.browser import Tab
from tests.helpers.colours import Colours, scene
from vps.results.explanation import Explanation


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Tab]:
    opened = Tab(browser, address)
    yield opened
    opened.context.close()
    assert opened.wrong == []


def test_click_a_box_and_the_map_grows_live(tab):
    assert tab.boxes.count() == 2
    Colours.delay = 0.05
    tab.boxes.first.click()
    maps = tab.maps_until_the_end()
    assert len(set(maps)) >= 3  # it changes at least twice
    assert "insertion" in tab.text("curves")
    assert tab.page.locator("#stop").is_disabled()


def test_slide_along_the_order_without_a_pass(tab):
    tab.boxes.first.click()
    tab.explained()
    tab.says("at-step", "regions shown")
    # Lines and files come last.
    tab.page.get_by_text("The same without this page").click()
    tab.page.wait_for_function("document.querySelector('#shell textarea')?.value")
    shell = tab.page.locator("#shell textarea").input_value()
    assert "--detection 1 " in shell
    assert "explain(detector, image" in tab.page.locator("#python textarea").input_value()
    calls, before = Colours.calls, tab.page.locator("#at-step img").get_attribute("src")
    tab.page.locator("#step input[type=number]").fill("20")
    tab.page.locator("#step input[type=number]").press("Enter")
    tab.says("at-step", "20 of")
    tab.page.get_by_role("radio", name="hidden").check()
    tab.says("at-step", "regions hidden")
    assert tab.page.locator("#at-step img").get_attribute("src") != before
    assert Colours.calls == calls


def test_stop_keeps_what_is_there(tab):
    assert tab.page.locator("#stop").is_disabled()
    Colours.delay = 0.4
    tab.boxes.first.click()
    tab.page.locator("#maps img").first.wait_for()
    tab.press("Stop")
    tab.explained()
    tab.says("status", "Stopped")
    assert tab.map()
    tab.says("answers", "the search was stopped before its end: cancelled")


def test_upload_and_another_prompt(tab, tmp_path):
    Image.fromarray(scene(100, 140)).save(tmp_path / "mine.jpg")
    tab.upload(tmp_path / "mine.jpg")
    tab.page.wait_for_function("document.querySelector('.vps-viewer img').naturalWidth == 140")
    assert tab.boxes.count() == 2
    tab.page.get_by_label("What to look for").fill("green .")
    tab.press("Detect")
    tab.says("hint", "1 found")
    assert "green" in tab.boxes.first.inner_text()
    tab.boxes.first.click()
    tab.explained()


def test_draw_what_was_missed_and_ask(tab):
    tab.page.get_by_label("What to look for").fill("green . red .")
    tab.press("Detect")
    tab.page.wait_for_function(
        "[...document.querySelectorAll('input')].some(one => one.value === 'green')"
    )  # the first label is chosen now
    tab.page.get_by_label("Draw").check()
    tab.says("hint", "Draw a box")
    tab.page.locator(".vps-viewer").scroll_into_view_if_needed()
    frame = tab.page.locator(".vps-viewer").bounding_box()
    x, y, wide, high = frame["x"], frame["y"], frame["width"], frame["height"]
    tab.page.mouse.move(x + 0.45 * wide, y + 0.3 * high)
    tab.page.mouse.down()
    tab.page.mouse.move(x + 0.6 * wide, y + 0.7 * high, steps=4)
    tab.page.mouse.up()
    tab.says("hint", "Choose its label")
    drawn = tab.page.locator(".vps-drawn").bounding_box()
    assert drawn["x"] == pytest.approx(x + 0.45 * wide, abs=3)
    assert drawn["width"] == pytest.approx(0.15 * wide, abs=3)
    tab.press("Why was it missed?")
    tab.says("answers", "The green is missed")


def test_other_questions_are_answered_in_a_sentence(tab):
    tab.press("Smallest part?")
    tab.says("status", "click one of the boxes first")
    tab.boxes.first.click()
    tab.explained()
    tab.press("Why a false box?")
    tab.says("answers", "The false box called")
    assert tab.page.locator("#answers img").count() == 1


def test_two_methods_side_by_side(tab):
    tab.page.get_by_text("Settings").click()
    tab.page.get_by_label("Side by side with").click()
    tab.page.get_by_role("option", name="box", exact=True).click()
    tab.boxes.first.click()
    tab.explained()
    assert tab.page.locator("#maps img").count() == 2
    assert "(box, dashed)" in tab.text("curves")


def test_download(tab, tmp_path):
    tab.boxes.first.click()
    tab.explained()
    with tab.page.expect_download() as waiting:
        tab.page.get_by_text("Data (.npz, .json)").click()
    path = tmp_path / "data.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    assert Explanation.load(tmp_path / "blocks_map_vps").detector == "colours"
    with tab.page.expect_download() as waiting:
        tab.page.get_by_text("Picture (.png)").click()
    waiting.value.save_as(tmp_path / "picture.png")
    assert Image.open(tmp_path / "picture.png").width == 1080


def test_two_visitors_take_turns(tab, browser, address):
    other = Tab(browser, address)
    Colours.delay, Colours.most = 0.1, 0
    tab.boxes.first.click()
    tab.page.locator("#maps img").first.wait_for()
    other.boxes.nth(1).click()
    other.says("status", "Waiting: 1 computation")
    Colours.delay = 0.0
    other.explained()
    tab.explained()
    assert Colours.most == 1
    assert tab.map() != other.map()
    other.context.close()
    assert other.wrong == []


def test_an_image_of_12000_pixels(tab, tmp_path):
    Image.new("RGB", (12_000, 9_000), (250, 20, 20)).save(tmp_path / "wide.jpg", quality=40)
    tab.upload(tmp_path / "wide.jpg")
    tab.page.wait_for_function("document.querySelector('.vps-viewer img').naturalWidth == 900")
    assert "red" in tab.boxes.first.inner_text()
    tab.boxes.first.click()
    tab.explained()


def test_a_text_file_is_no_image(tab, tmp_path):
    (tmp_path / "note.png").write_text("<script>alert(1)</script>")
    tab.upload(tmp_path / "note.png")
    tab.says("hint", "is not an image of a format that is read")
    tab.boxes.first.click()  # what was there before is still there
    tab.explained()


def test_a_detector_that_raises_is_told_and_goes_on(tab):
    Colours.fails = True
    tab.boxes.first.click()
    tab.says("status", "out of colours")
    Colours.fails = False
    tab.boxes.first.click()
    tab.explained()


def test_the_page_answers_while_a_search_runs(tab, browser, address):
    Colours.delay = 0.05
    tab.boxes.first.click()
    tab.page.locator("#maps img").first.wait_for()
    other = Tab(browser, address)  # opens, and waits for its turn
    other.context.close()
    tab.explained()


def test_a_phone_shows_everything_in_one_column(browser, address):
    phone = Tab(browser, address, viewport={"width": 390, "height": 844})
    phone.boxes.first.click()
    phone.explained()
    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    places = [
        phone.page.locator(part).bounding_box()["y"] for part in ("#viewer", "#maps", "#asks")
    ]
    assert places == sorted(places)
    phone.context.close()
    assert phone.wrong == []

import dataclasses
import re

import pytest

from vps.errors import InputError
from vps.report.html import Case, numbers, write_page


def test_the_page_shows_every_case_and_escapes_what_it_is_given(explanation, tmp_path):
    cases = [
        Case(
            "Why <b>this</b>?",
            "correct",
            "Because & so.",
            "a b.png",
            explanation,
            "a b_answer.png",
            "it is <so>",
        ),
        Case(
            "Why that?", "missed object", "Hidden.", "that.png", explanation, "c.png", "it was so"
        ),
    ]
    page = write_page(tmp_path / "index.html", "Title", "Intro <script>", cases).read_text()
    assert "Why &lt;b&gt;this&lt;/b&gt;?" in page
    assert "<script" not in page
    assert re.findall(r'<img src="([^"]+)"', page) == [
        "a%20b.png",
        "a%20b_answer.png",
        "that.png",
        "c.png",
    ]
    assert page.count("alt=") == 4
    assert "It is &lt;so&gt;." in page
    assert f"{explanation.insertion_auc:.3f}" in page
    assert "a doubt" in page
    assert 'href="#case2"' in page


def test_the_page_needs_nothing_from_elsewhere(explanation, tmp_path):
    case = Case("Why?", "correct", "So.", "a.png", explanation, "b.png", "it is so")
    page = write_page(tmp_path / "index.html", "Title", "Intro", [case]).read_text()
    assert "http" not in page


def test_numbers_say_when_there_is_no_sufficient_part(explanation):
    assert numbers(explanation)["sufficient part"].endswith("of the area")
    blank = dataclasses.replace(explanation, insertion=explanation.insertion * 0)
    assert numbers(blank)["sufficient part"] == "none"


def test_a_page_that_cannot_be_written_is_an_error(explanation, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_page(tmp_path / "file" / "index.html", "Title", "Intro", [])

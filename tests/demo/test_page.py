import dataclasses
import re

import pytest

from vps.demo.page import PART, PageCase, numbers, write_page
from vps.errors import InputError


def case_of(explanation):
    return PageCase(
        "Why?", "missed object", "So.", "a.png", explanation, "b.png", "it is so", 99, 0.5
    )


def test_the_page_shows_every_case_and_escapes_what_it_is_given(explanation, tmp_path):
    cases = [
        PageCase(
            "Why <b>this</b>?",
            "correct",
            "Because & so.",
            "a b.png",
            explanation,
            "a b_answer.png",
            "it is <so>",
            1234,
            5.6,
        ),
        case_of(explanation),
    ]
    page = write_page(tmp_path / "index.html", "Title", "Intro <script>", cases).read_text()
    assert "Why &lt;b&gt;this&lt;/b&gt;?" in page
    assert "<script" not in page
    assert re.findall(r'<img src="([^"]+)"', page) == [
        "a%20b.png",
        "a%20b_answer.png",
        "a.png",
        "b.png",
    ]
    assert page.count("alt=") == 4
    assert "It is &lt;so&gt;." in page
    assert f"{explanation.insertion_auc:.3f}" in page
    # The passes of the whole answer, not those of the explanation alone.
    assert "<dd>1,234</dd>" in page
    assert "a doubt" in page
    assert 'href="#case2"' in page


def test_the_page_needs_nothing_from_elsewhere(explanation, tmp_path):
    page = write_page(tmp_path / "index.html", "T", "I", [case_of(explanation)]).read_text()
    assert "http" not in page


def test_numbers_say_when_there_is_no_sufficient_part(explanation):
    assert PART == "part that reaches 90 % of the score"
    assert numbers(case_of(explanation))[PART].endswith("of the area")
    blank = dataclasses.replace(explanation, insertion=explanation.insertion * 0)
    assert numbers(case_of(blank))[PART] == "none"


def test_a_page_that_cannot_be_written_is_an_error(explanation, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_page(tmp_path / "file" / "index.html", "Title", "Intro", [])

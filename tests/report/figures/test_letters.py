import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from vps.report.figures import letters
from vps.report.figures.letters import fit_letters, latin_note, lettered, shortened, wrapped

PERSON, DOG = "\u4eba\u7269", "\U0001f415"


def write_font(path, text, drawn=True):
    """A font with a box for each letter of a text, or with places that are empty."""
    names = [f"u{ord(letter):x}" for letter in text]
    pen = TTGlyphPen(None)
    if drawn:
        pen.moveTo((50, 0))
        for point in ((50, 800), (950, 800), (950, 0)):
            pen.lineTo(point)
        pen.closePath()
    glyph = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", *names])
    font.setupCharacterMap({ord(letter): name for letter, name in zip(text, names, strict=True)})
    font.setupGlyf(dict.fromkeys([".notdef", *names], glyph))
    font.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 50)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """The fonts of the system: matplotlib's own, and those that a test writes into the folder."""
    monkeypatch.setattr(letters, "findSystemFonts", lambda: [*map(str, tmp_path.glob("*.ttf"))])
    own = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", own)
    for cached in (lettered, letters._font_files, letters._open_font):
        cached.cache_clear()
    yield tmp_path
    for cached in (lettered, letters._font_files, letters._open_font):
        cached.cache_clear()


def test_european_letters_are_drawn_as_they_are(fonts):
    found = lettered("caf\u00e9 \u0434\u043e\u043c")
    assert (found.text, found.latin, len(found.families)) == (
        "caf\u00e9 \u0434\u043e\u043c",
        False,
        1,
    )
    assert latin_note(["caf\u00e9"]) == ""


def test_a_font_of_the_system_is_found_that_has_the_letters(fonts):
    write_font(fonts / "empty.ttf", PERSON, drawn=False)
    write_font(fonts / "half.ttf", PERSON[0])
    write_font(fonts / "whole.ttf", PERSON)
    found = lettered(f"{PERSON} 1")
    assert (found.text, found.latin) == (f"{PERSON} 1", False)
    assert found.families[1:] == ("whole",)
    figure = Figure()
    text = figure.text(0, 0, PERSON)
    fit_letters(figure)
    assert text.get_text() == PERSON
    assert text.get_fontfamily()[-1] == "whole"


def test_several_fonts_may_have_a_part_each(fonts):
    write_font(fonts / "first.ttf", PERSON[0])
    write_font(fonts / "second.ttf", PERSON[1])
    assert set(lettered(PERSON).families[1:]) == {"first", "second"}


def test_letters_that_no_font_has_become_latin_ones_and_it_is_said(fonts):
    assert lettered(f"{PERSON} x") == ("RenWu x", lettered("x").families, True)
    assert "dog" in lettered(DOG).text
    assert "'RenWu'" in latin_note(["x", PERSON])
    assert "Noto" in latin_note([PERSON])
    figure = Figure()
    text = figure.text(0, 0, PERSON)
    fit_letters(figure)
    assert text.get_text() == "RenWu"


def test_what_is_drawn_as_nothing_needs_no_font(fonts):
    assert lettered("a\u200db\u00a0c").latin is False
    assert lettered("\u2764\ufe0f").latin is False


def test_wide_letters_take_two_columns(fonts):
    write_font(fonts / "whole.ttf", PERSON)
    assert wrapped(PERSON * 3, 4) == [PERSON] * 3
    assert shortened(PERSON * 3, 12) == PERSON * 3
    assert shortened(PERSON * 3, 9) == f"{PERSON}{PERSON}"[:4] + "\u2026"
    assert shortened("the red circle", 8) == "the red\u2026"


def test_a_number_stays_beside_its_percent_sign():
    assert wrapped("hiding these 6 % of it", 14) == ["hiding these", "6\u00a0% of it"]

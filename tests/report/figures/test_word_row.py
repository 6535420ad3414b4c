import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from vps.report.figures.panels import VERMILLION
from vps.report.figures.word_row import WordRow
from vps.results.word_answer import LOST, RIGHT, SAME, Word, WordAnswer, WordSet


def answer(*words: Word, repair=()) -> WordAnswer:
    return WordAnswer(
        label=" ".join(word.text for word in words),
        right=not repair,
        said=(0, 0, 4, 4),
        said_score=0.7,
        target_score=0.2,
        words=words,
        sufficient=WordSet((len(words) - 1,), 0.6, SAME, True),
        necessary=WordSet((len(words) - 1,), 0.0, LOST, True),
        repair=WordSet(tuple(repair), 0.5, RIGHT, True) if repair else None,
        threshold=0.3,
        passes=8,
        seconds=0.1,
    )


def word(text, score=0.7, lands=SAME, importance=0.0) -> Word:
    return Word(text, score, 0.2, lands, importance)


def drawn(words: WordAnswer, width: float = 7.0):
    row = WordRow(words, width)
    figure = Figure(figsize=(width, row.height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    row.draw(axes)
    figure.canvas.draw()
    chips = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    return axes, chips, [text.get_text() for text in axes.texts]


PHRASE = answer(
    word("the"),
    word("small"),
    word("left", 0.65, RIGHT, 0.5),
    word("$dog_", 0.1, LOST, 0.6),
    repair=(2,),
)


def test_a_chip_a_word_and_what_happens_without_it():
    axes, chips, texts = drawn(PHRASE)
    assert len(chips) == 4
    assert texts[0] == "Words"
    assert "wrong box without each (0.70 with all)" in texts[1]
    assert texts[2:] == ["the", "0.70", "small", "0.70", "left", "right box", "$dog_", "no box"]


def test_ignored_words_are_struck_through_and_a_repair_is_outlined():
    axes, chips, texts = drawn(PHRASE)
    assert PHRASE.ignored == (0, 1)
    # Nobody asks whether an article is ignored.
    (line,) = axes.lines
    assert line.get_xdata().mean() == pytest.approx(axes.texts[4].get_position()[0])
    assert [to_hex(chip.get_edgecolor()) == VERMILLION.lower() for chip in chips] == [
        False,
        False,
        True,
        False,
    ]
    assert "struck through: ignored; outlined: hide these and it is right" in texts[1]


def test_without_ignored_words_and_repair_neither_is_explained():
    words = word("the"), word("red", 0.2, LOST, 0.5), word("dog", 0.1, LOST, 0.6)
    axes, _, texts = drawn(answer(*words))
    assert not axes.lines
    assert "struck" not in texts[1]
    assert "outlined" not in texts[1]


@pytest.mark.parametrize("width", [2.0, 3.0])
def test_a_long_phrase_takes_several_rows_within_the_width(width):
    words = answer(*(word(f"word{number}") for number in range(12)))
    assert WordRow(words, width).height > WordRow(words, 20.0).height
    axes, chips, _ = drawn(words, width)
    assert len({chip.get_y() for chip in chips}) > 1
    for chip in chips:
        assert chip.get_x() >= 0
        assert chip.get_x() + chip.get_width() <= width
    height = axes.get_ylim()[0]
    assert max(chip.get_y() + chip.get_height() for chip in chips) < height


def test_texts_fit_their_chips():
    axes, chips, _ = drawn(answer(*(word(text) for text in ("i", "wide-mouthed", "dog,"))))
    renderer = axes.figure.canvas.get_renderer()
    for chip, text in zip(chips, axes.texts[2::2], strict=True):
        inside, around = text.get_window_extent(renderer), chip.get_window_extent(renderer)
        assert around.x0 < inside.x0
        assert inside.x1 < around.x1

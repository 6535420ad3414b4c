import numpy as np

from vps.data.scenes.expressions import KINDS, Thing, choose_expression, expressions


def thing(category: str, colour: str, x: float, y: float, side: float = 0.1) -> Thing:
    return Thing(category, colour, (x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def texts(things: list[Thing]) -> dict[str, int]:
    return {expression.text: expression.target for expression in expressions(things)}


def test_a_single_thing_is_named_with_and_without_colour():
    assert texts([thing("circle", "red", 0.5, 0.5)]) == {"the circle": 0, "the red circle": 0}


def test_a_colour_tells_twins_apart():
    found = texts([thing("circle", "red", 0.2, 0.5), thing("circle", "blue", 0.8, 0.5)])
    assert "the circle" not in found
    assert found["the red circle"] == 0
    assert found["the blue circle"] == 1
    assert found["the leftmost circle"] == 0
    assert found["the rightmost circle"] == 1
    assert "the top circle" not in found


def test_size_needs_a_clear_ratio():
    near = [thing("star", "red", 0.2, 0.5, 0.10), thing("star", "red", 0.8, 0.5, 0.11)]
    far = [thing("star", "red", 0.2, 0.5, 0.10), thing("star", "red", 0.8, 0.5, 0.20)]
    assert not any("large" in text or "small" in text for text in texts(near))
    assert texts(far)["the large red star"] == 1
    assert texts(far)["the small star"] == 0


def test_relations_hold_for_one_thing_and_no_other_nearly():
    scene = [
        thing("circle", "red", 0.2, 0.2),
        thing("circle", "red", 0.8, 0.2),
        thing("square", "blue", 0.5, 0.6),
    ]
    found = texts(scene)
    assert found["the red circle left of the blue square"] == 0
    assert found["the circle right of the square"] == 1
    assert "the red circle above the blue square" not in found
    doubtful = [*scene[:2], thing("square", "blue", 0.77, 0.6)]
    assert "the red circle left of the blue square" not in texts(doubtful)


def test_context_objects_have_no_colour():
    assert texts([thing("wheel", "", 0.5, 0.5)]) == {"the wheel": 0}


def test_choose_is_even_over_kinds():
    scene = [
        thing("circle", "red", 0.1, 0.1),
        thing("circle", "red", 0.6, 0.6, 0.2),
        thing("square", "blue", 0.4, 0.3),
    ]
    rng = np.random.default_rng(0)
    drawn = [choose_expression(expressions(scene), rng).kind for _ in range(400)]
    shares = [drawn.count(kind) / len(drawn) for kind in KINDS]
    assert all(0.18 < share < 0.32 for share in shares)

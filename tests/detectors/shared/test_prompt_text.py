import pytest

from detectors.shared.prompt_text import split_prompt
from vps.errors import InputError


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("dog . cat .", ["dog", "cat"]),
        ("dog. Cat", ["dog", "Cat"]),
        ("chair.person.dog.", ["chair", "person", "dog"]),
        ("dog . cat.", ["dog", "cat"]),
        ("circle, cross, square", ["circle", "cross", "square"]),
        ("traffic light, stop sign .", ["traffic light", "stop sign"]),
        ("cat . dog, bird", ["cat", "dog", "bird"]),
        ("cross; the red square", ["cross", "the red square"]),
        ("dog | cat", ["dog", "cat"]),
        ("dog\ncat\n", ["dog", "cat"]),
        ("1. dog\n2. cat", ["dog", "cat"]),
        ("- dog\n- cat", ["dog", "cat"]),
        ("\u4eba\u3002\u72d7\uff0c\u732b\u3001\u9e1f", ["\u4eba", "\u72d7", "\u732b", "\u9e1f"]),
        ("0.5 l bottle . cross", ["0.5 l bottle", "cross"]),
        ("1,000 dollar bill . cat", ["1,000 dollar bill", "cat"]),
        ('"st. bernard" . cross', ["st. bernard", "cross"]),
        ("\u201cthe man, in red\u201d, cat", ["the man, in red", "cat"]),
        ('["st. bernard", "dog, cat"]', ["st. bernard", "dog, cat"]),
        ("the dog on the left", ["the dog on the left"]),
        ("man's hat . dog's tail", ["man's hat", "dog's tail"]),
        (" . . ", []),
    ],
)
def test_prompts_are_split_as_they_are_meant(prompt, labels):
    assert split_prompt(prompt) == labels


@pytest.mark.parametrize(
    ("prompt", "ways"),
    [
        (
            "the man, in red .",
            ["'the man . in red' for 2 labels", """'"the man, in red"' for one"""],
        ),
        ("man, left", ["'man . left'", """'"man, left"'"""]),
        ("cat, dog and bird", ["'cat . dog and bird'"]),
        ("st. bernard . cross", ["'st . bernard . cross'", """'"st. bernard" . ...'"""]),
        ("cross . st. bernard", ["'cross . st . bernard'", """'"st. bernard" . ...'"""]),
        ("st. bernard", ["'st . bernard'", """'"st. bernard" . ...'"""]),
        ("u.s. flag", ["""'"u.s. flag" . ...'"""]),
        ('"dog" cat', ["quote all of it"]),
        ('"dog', ["close it"]),
        ('["dog"', ['["st. bernard", "cat"]']),
        ("[1, 2]", ['["st. bernard", "cat"]']),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_back(prompt, ways):
    with pytest.raises(InputError) as caught:
        split_prompt(prompt)
    for way in ways:
        assert way in str(caught.value)

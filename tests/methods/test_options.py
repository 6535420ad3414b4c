from typing import Annotated

import pytest

from vps.errors import InputError
from vps.methods import METHODS, check_options
from vps.methods.options import AT_LEAST_ONE, check_options_of


@pytest.mark.parametrize(
    "options",
    [{}, {"masks": 1, "grid": 2, "p": 0.01, "objectness": "none"}, {"masks": 5000, "p": 0.99}],
)
def test_options_of_drise(options):
    check_options("drise", options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": 5}, "unknown option of drise 'mask', did you mean 'masks'"),
        ({"seed": 5}, "unknown option of drise 'seed'"),
        ({"question": 5}, "unknown option of drise 'question'"),
        ({"masks": 0}, "option masks of drise must be at least 1, got 0"),
        ({"masks": 10.5}, "option masks of drise must be a whole number, got 10.5"),
        ({"masks": "10"}, "option masks of drise must be a whole number"),
        ({"masks": True}, "option masks of drise"),
        ({"grid": 1}, "option grid of drise must be at least 2"),
        ({"p": 1}, "option p of drise must be between 0 and 1, both excluded, got 1"),
        ({"p": 0.0}, "option p of drise must be between"),
        ({"p": float("nan")}, "option p of drise must be between"),
        ({"objectness": "non"}, "option objectness of drise 'non', did you mean 'none'"),
    ],
)
def test_what_drise_cannot_be_set_to(options, message):
    with pytest.raises(InputError, match=message):
        check_options("drise", options)


@pytest.mark.parametrize("method", ["random", "box"])
def test_methods_without_options(method):
    check_options(method, {})
    with pytest.raises(InputError, match=f"{method} has no options, got 'masks'"):
        check_options(method, {"masks": 5})


def test_an_unknown_method():
    with pytest.raises(InputError, match="unknown method 'drice', did you mean 'drise'"):
        check_options("drice", {})


def test_options_are_the_keyword_arguments():
    def method(question, *, seed, count: Annotated[int, AT_LEAST_ONE] = 1, name: str | None = None):
        raise AssertionError("is not called")

    check_options_of(method, {"count": 2, "name": None}, "mine")
    with pytest.raises(InputError, match="option name of mine must be text"):
        check_options_of(method, {"name": 3}, "mine")


def test_every_method_has_defaults_for_its_options():
    for method in METHODS.values():
        check_options_of(method, method.__kwdefaults__ or {}, "it")

from os import PathLike
from pathlib import Path

import pytest

from detectors.shared.options import describe, fit_options
from vps.errors import InputError


def load_something(
    source: str,
    *,
    labels: list[str] | None,
    device: str,
    dtype: str,
    weights: str | PathLike[str] | None = None,
    floor: float = 0.1,
    threads: int = 1,
    fast: bool = False,
) -> None: ...


@pytest.mark.parametrize(
    ("given", "fitted"),
    [
        ({"weights": "3"}, {"weights": "3"}),
        ({"weights": Path("a")}, {"weights": Path("a")}),
        ({"weights": None}, {"weights": None}),
        ({"floor": "0"}, {"floor": 0.0}),
        ({"floor": "1e-3", "threads": "2"}, {"floor": 1e-3, "threads": 2}),
        ({"fast": "True", "threads": 4}, {"fast": True, "threads": 4}),
        ({"fast": "false"}, {"fast": False}),
    ],
)
def test_values_get_the_type_of_the_option(given, fitted):
    found = fit_options(load_something, given, "some")
    assert found == fitted
    assert [type(value) for value in found.values()] == [type(v) for v in fitted.values()]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"floor": "abc"}, "option floor of some must be a number, got 'abc'"),
        ({"threads": "1.5"}, "threads of some must be a whole number, got 1.5"),
        ({"fast": "maybe"}, "fast of some must be true or false, got 'maybe'"),
        ({"threads": True}, "must be a whole number, got True"),
        ({"weights": 3}, "must be text or a path, got 3"),
        ({"weigths": "a"}, "unknown option of some 'weigths', did you mean 'weights'"),
        ({"device": "cpu"}, "unknown option of some 'device'"),
    ],
)
def test_what_does_not_fit(given, message):
    with pytest.raises(InputError, match=message):
        fit_options(load_something, given, "some")


def test_a_kind_without_options():
    with pytest.raises(InputError, match="some has no options, got 'threads'"):
        fit_options(lambda source, labels: None, {"threads": 1}, "some")


def test_files_are_described_by_their_names(tmp_path):
    (tmp_path / "a.pth").touch()
    options = {"weights": str(tmp_path / "a.pth"), "floor": 0.5, "task": "od"}
    assert describe(options) == "weights=a.pth, floor=0.5, task=od"

import sys
from types import SimpleNamespace

import pytest

from vps import LiveDisplay
from vps.core.notebooks import in_notebook
from vps.errors import MissingExtraError


class Cells:
    """What IPython.display does, noted."""

    def __init__(self):
        self.shown, self.updated = [], []

    def display(self, one, display_id):
        self.shown.append(one)
        return SimpleNamespace(update=self.updated.append)


@pytest.fixture
def cells(monkeypatch) -> Cells:
    found = Cells()
    monkeypatch.setitem(sys.modules, "IPython.display", found)
    return found


def test_one_picture_that_is_replaced(cells, explanation):
    live = LiveDisplay(seconds=0)
    live(explanation)
    live([explanation, explanation])
    assert len(cells.shown) == len(cells.updated) == 1
    assert cells.shown[0].warnings == ()
    assert cells.shown[0].target == explanation.target


def test_not_more_often_than_that(cells, explanation):
    live = LiveDisplay(seconds=100)
    live(explanation)
    live(explanation)
    assert (len(cells.shown), len(cells.updated)) == (1, 0)


def test_no_notebook_here(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(MissingExtraError, match="notebook"):
        LiveDisplay()


def test_a_notebook_is_told_by_its_kernel(monkeypatch):
    for shell, expected in ((None, False), (object(), False), (SimpleNamespace(kernel=1), True)):
        known = SimpleNamespace(get_ipython=lambda shell=shell: shell)
        monkeypatch.setitem(sys.modules, "IPython", known)
        assert in_notebook() is expected
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()

"""The list of methods."""

from vps.methods import METHODS
from vps.methods.listing import listed_methods


def test_every_method_says_what_it_is_needs_and_costs():
    found = {one.name: one for one in listed_methods()}
    assert list(found) == list(METHODS)
    assert found["drise"].passes == 5001
    assert found["grad-cam"].needs == "gradients, feature layers"
    assert found["random"][1:4] == ("control", 0, "")
    for one in found.values():
        assert one.title.endswith(".")
        assert one.title == one.title.strip()
        assert len(one.title) < 100

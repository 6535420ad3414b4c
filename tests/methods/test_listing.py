"""The list of methods."""

from tests.helpers.paths import ROOT
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


def test_the_page_about_methods_has_them_all_with_what_they_cost():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    section = page.split("## What they do")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    told = {name.strip("` "): row for row in rows for name in row.split("|")[1].split(",")}
    found = {one.name: one for one in listed_methods()}
    assert set(told) == set(found)
    for name, row in told.items():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[3:] == [f"{found[name].passes:,}", found[name].needs], name

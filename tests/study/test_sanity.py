"""Sanity checks over the cases of a study: kept, gone on with, and told of failures."""

import json
from pathlib import Path

import pytest

from tests.helpers.studies import LOADER, config_of, study
from vps.study import sanity
from vps.study.sanity import check_cases

METHODS = {"box": {}, "random": {}, "grad-cam": {}}


def rows_of(config, lists):
    return list(check_cases(config, lists, loader=LOADER, device="cpu"))


@pytest.fixture
def checked(tmp_path):
    config, lists = study(tmp_path, 2, methods=METHODS)
    return config, lists, rows_of(config, lists)


def test_each_method_is_checked_on_each_case(checked):
    _, _, rows = checked
    assert len(rows) == 4 * 3
    for row in rows:
        if row.method == "grad-cam":
            assert "grad-cam needs gradients, and brightness gives none" in row.error
            assert row.values == {}
        else:
            assert row.error == ""
            # The detector has no torch module.
            assert row.values["randomised"] is None
    seeds = {row.method: row.values["seeds"] for row in rows if row.values}
    assert seeds["box"] == 1
    assert abs(seeds["random"]) < 1


def test_what_is_known_is_not_computed_again_and_what_failed_is(checked, monkeypatch):
    config, lists, rows = checked
    asked = []
    real = sanity._checked
    monkeypatch.setattr(sanity, "_checked", lambda *given: asked.append(given[2]) or real(*given))
    assert rows_of(config, lists) == rows
    assert asked == ["grad-cam"] * 4


def test_a_file_that_is_damaged_or_of_other_settings_is_made_again(checked):
    config, lists, rows = checked
    files = sorted(Path(config.out, "sanity").iterdir())
    assert len(files) == 4
    before = files[0].read_bytes()
    for damage in (b"{", b"[]", b'{"digest": "x", "methods": {}}', b'{"digest": 1}'):
        files[0].write_bytes(damage)
        assert rows_of(config, lists) == rows
        assert files[0].read_bytes() == before
    folder = Path(config.out).parent
    other = config_of(folder, methods=METHODS, regions={"count": 4, "method": "grid"})
    rows_of(other, lists)
    assert json.loads(files[0].read_text())["digest"] != json.loads(before)["digest"]


def test_a_method_more_is_checked_alone(checked, monkeypatch):
    config, lists, _ = checked
    asked = []
    real = sanity._checked
    monkeypatch.setattr(sanity, "_checked", lambda *given: asked.append(given[2]) or real(*given))
    folder = Path(config.out).parent
    rows_of(config_of(folder, methods={**METHODS, "again": {"method": "box"}}), lists)
    assert asked == ["grad-cam", "again"] * 4

"""Any value under any key of a config is one clear error, or a config that can be read again."""

from __future__ import annotations

import json
import math

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from tools.fuzzing.mutation import NUMBERS, TEXTS
from vps.core.json_schema import json_schema
from vps.core.schema import to_plain
from vps.errors import InputError
from vps.study.config import StudyConfig, read_config

SMALL = {
    "name": "small",
    "datasets": {"drawn": {"format": "coco", "annotations": "a.json", "images": "images"}},
    "detector": {"name": "fuzz"},
    "scenes": {"folder": "scenes"},
    "repair": {"passes": 400},
}


def keys(schema, before=()):
    """The ways to all keys of a schema; what has free keys is entered at one of its own."""
    yield from _own(schema, before)
    for one in schema.get("anyOf", ()):
        yield from _own(one, before)


def _own(schema, before):
    for name, inner in schema.get("properties", {}).items():
        yield (*before, name)
        yield from keys(inner, (*before, name))
    free = schema.get("additionalProperties")
    if isinstance(free, dict):
        name = {"datasets": "drawn", "methods": "vps"}.get(before[-1], "any")
        yield (*before, name)
        yield from keys(free, (*before, name))


KEYS = tuple(dict.fromkeys(keys(json_schema(StudyConfig))))

scalars = (
    st.sampled_from(NUMBERS)
    | st.sampled_from([text for text in TEXTS if len(text) < 500])
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def test_the_keys_are_those_of_the_schema():
    for key in ("seed", "metrics.fidelity_share", "run.threads", "methods.vps.options.any"):
        assert tuple(key.split(".")) in KEYS
    assert len(KEYS) > 70


def changed(changes):
    content = json.loads(json.dumps(SMALL))
    for way, value in changes.items():
        place = content
        for name in way[:-1]:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place[way[-1]] = value
    return content


def read(path):
    """The config of a file and "", or None and what is wrong with it."""
    try:
        return read_config(path), ""
    except InputError as error:
        return None, str(error)


@hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)
@hypothesis.given(st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=3))
def test_a_clear_error_or_it_works(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("config")
    path = folder / "small.yaml"
    path.write_text(json.dumps(changed(changes)))
    config, said = read(path)
    if config is None:
        assert "small.yaml" in said
        assert "\n" not in said
        assert len(said) < 1500
        return
    again = read_config(config.save(folder / "again.yaml"))
    assert to_plain(again) == to_plain(config)


@pytest.mark.parametrize("key", [key for key in KEYS if "options" not in key and "any" not in key])
def test_numbers_beyond_all_bounds(tmp_path, key):
    path = tmp_path / "small.yaml"
    for value in (10**30, -(10**30), math.inf, math.nan, -1e300):
        path.write_text(yaml.safe_dump(changed({key: value})))
        config, _ = read(path)
        if config is None:
            continue
        # Only what costs nothing may be as large: the most of something, a seed, an area.
        place = config
        for name in key:
            place = place[name] if isinstance(place, dict) else getattr(place, name)
        free = key[-1] in UNBOUNDED or isinstance(place, str)
        assert free, f"{'.'.join(key)} may be {place}"


UNBOUNDED = {
    *("per_kind", "per_class", "per_frequency", "per_image", "images", "max_detections"),
    *("min_area", "seed", "passes"),
}

"""The settings of a study."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.helpers.attacks import BAD_YAML
from tests.helpers.paths import ROOT
from tests.helpers.studies import config_of
from vps.core.json_schema import json_schema
from vps.errors import InputError
from vps.methods.perturbation.drise import DRISE
from vps.methods.search.vps import VPS
from vps.study.config import StudyConfig, read_config

SHIPPED = sorted(path for path in (ROOT / "configs").glob("*.yaml") if path.stem != "yolox_nano")

SMALL = """
datasets:
  coco: {format: coco, annotations: a.json, images: images}
detector: {name: demo-grounding-dino}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "small.yaml"
    path.write_text(text)
    return path


def test_defaults_fill_what_is_not_given(tmp_path):
    config = read_config(write(tmp_path, SMALL))
    assert config.name == "small"
    assert config.out == "out/eval/small"
    assert {name: method.method for name, method in config.methods.items()} == {
        name: name for name in ("vps", "drise", "random", "box")
    }
    assert config.method("vps").search == "sampled_search"  # not auto: a study is to be repeated


@pytest.mark.parametrize(
    ("overrides", "threshold"),
    [
        (["repair.passes=400"], 0.3),
        (["repair.passes=400", "select.score_threshold=0.2"], 0.2),
        (["repair.passes=400", "select.score_threshold=0.2", "repair.threshold=0.5"], 0.5),
        (["select.score_threshold=0"], None),
    ],
)
def test_a_repair_is_a_detection_by_the_threshold_of_the_cases(tmp_path, overrides, threshold):
    config = read_config(write(tmp_path, SMALL), overrides)
    assert config.repair.threshold == threshold
    assert read_config(config.save(tmp_path / "saved.yaml")) == config


def test_without_a_threshold_of_the_cases_repairs_need_their_own(tmp_path):
    given = ["select.score_threshold=0", "repair.passes=400"]
    with pytest.raises(InputError, match="select.score_threshold: threshold must be in"):
        read_config(write(tmp_path, SMALL), given)
    assert read_config(write(tmp_path, SMALL), [*given, "repair.threshold=0.1"])


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "..", "a/b"])
def test_a_study_without_a_folder_of_its_own_stays_where_studies_lie(tmp_path, name):
    out = Path(read_config(write(tmp_path, SMALL), [f"name={name}"]).out)
    assert out.parent == Path("out/eval")
    assert ".." not in out.parts


def test_a_saved_config_reads_back_equal(tmp_path):
    config = read_config(write(tmp_path, SMALL), ["methods.drise.options.masks=7", "fill=[0,0,1]"])
    assert config.method("drise") == DRISE(masks=7)
    assert read_config(config.save(tmp_path / "saved.yaml")) == config


def test_overrides_reach_nested_keys_and_make_new_ones(tmp_path):
    overrides = ["methods={vps: , fast: {method: vps}}", "methods.vps.options.search=greedy"]
    config = read_config(
        write(tmp_path, SMALL),
        [*overrides, "methods.fast.options.search=leave_one_out", "run.workers=2"],
    )
    assert config.method("vps") == VPS("greedy")
    assert config.method("fast") == VPS("leave_one_out")
    assert config.methods["fast"].method == "vps"
    assert config.run.workers == 2


def test_an_option_of_a_default_method_leaves_the_others(tmp_path):
    config = read_config(write(tmp_path, SMALL), ["methods.vps.options.search=greedy"])
    assert list(config.methods) == ["vps", "drise", "random", "box"]
    assert config.method("vps") == VPS("greedy")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("regins.count=5", "key 'regins', did you mean 'regions'"),
        ("regions.cuont=5", "regions 'cuont', did you mean 'count'"),
        ("search.name=greedy", "methods: {vps: {options: {search: greedy}}}"),
        ("methods.vps.options.search=gredy", "methods.vps: vps: unknown search 'gredy', did you"),
        ("datasets.coco.format=cocco", "did you mean 'coco'"),
        ("methods.drize=", "did you mean 'drise'"),
        ("methods.drise.options.maskes=3", "did you mean 'masks'"),
        ("methods.vps.options.serach=greedy", "did you mean 'search'"),
        ("select.kinds=[mised]", "did you mean 'missed'"),
        ("run.executor=rays", "did you mean 'ray'"),
        ("run.workers=-1", "workers must be at least 0"),
        ("regions.count=many", "regions.count must be a whole number"),
        ("repair.passes=323", "at least 324 with about 64 regions, got 323"),
        ("repair.threshold=0", "repair: threshold must be in (0, 1]"),
        ("repair.areas=[2]", "areas must lie in (0, 1)"),
        ("fill=meen", "did you mean 'mean'"),
        ("lambdas=[0, 0]", "lambdas must be"),
        ("datasets={a/b: {format: coco, annotations: x}}", "'a/b' is no name"),
        ("datasets={..: {format: coco, annotations: x}}", "'..' is no name"),
        (f"datasets={{{'a' * 240}: {{format: coco, annotations: x}}}}", "at most 100 bytes"),
        (f"methods={{{'a' * 240}: {{method: vps}}}}", "at most 100 bytes"),
        ("scenes={folder: x, split: ../../x}", "scenes: split '../../x' is no plain name"),
        ("datasets={}", "datasets: at least one"),
        ("regions.count=2024-13-45", "regions.count must be a whole number or hold keys"),
        ("regions.count=" + "9" * 5000, "the value of regions.count cannot be read: a number has"),
        ("fill=" + "[" * 5000, "the value of fill cannot be read: "),
        ("fill=&a [*a]", "the value of fill cannot be read: a value holds itself"),
        ("search", "an override is KEY=VALUE"),
        ("name.x=1", "name holds a value"),
        ("fill={", "the value of fill cannot be read"),
    ],
)
def test_what_is_misspelt_is_told_with_the_nearest(tmp_path, override, message):
    with pytest.raises(InputError) as error:
        read_config(write(tmp_path, SMALL), [override])
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["- a", "just text", "a: [", ""])
def test_what_is_no_config_is_refused(tmp_path, text):
    with pytest.raises(InputError, match="small.yaml"):
        read_config(write(tmp_path, text))


@pytest.mark.parametrize("attack", BAD_YAML.values(), ids=BAD_YAML)
def test_no_config_is_more_than_one_clear_error(tmp_path, attack):
    path = write(tmp_path, f"{SMALL}regions: {attack}\n")
    with pytest.raises(InputError, match=r"config .*small\.yaml") as caught:
        read_config(path)
    assert len(str(caught.value)) < 1500
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_are_valid_and_named_as_their_files(path):
    config = read_config(path)
    assert isinstance(config, StudyConfig)
    assert config.name == path.stem


def test_a_shipped_config_is_read_by_its_name_beside_a_folder_called_so(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "mine"):
        (tmp_path / name).mkdir()
    assert read_config("demo") == read_config(ROOT / "configs" / "demo.yaml")
    with pytest.raises(InputError, match="mine is no file, but a folder"):
        read_config("mine")
    with pytest.raises(InputError, match="did you mean 'demo'"):
        read_config("demp")


@pytest.fixture(scope="module")
def schema():
    return jsonschema.Draft202012Validator(json_schema(StudyConfig))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_keep_to_the_json_schema(schema, path, tmp_path):
    assert not list(schema.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8"))))
    saved = read_config(path).save(tmp_path / "saved.yaml")
    assert not list(schema.iter_errors(yaml.safe_load(saved.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"serach": {}}, "'serach' was unexpected"),
        ({"select": {"per_knd": 2}}, "'per_knd' was unexpected"),
        ({"regions": {"count": "many"}}, "'many' is not valid under any of the given schemas"),
        ({"run": {"executor": "threads"}}, "'threads' is not one of"),
        ({"detector": {}}, "'name' is a required property"),
        ({"lambdas": [1]}, "is not valid under any of the given schemas"),
    ],
)
def test_the_json_schema_refuses_what_the_reader_refuses(schema, change, message, tmp_path):
    content = {"name": "small", **yaml.safe_load(SMALL), **change}
    with pytest.raises(InputError):
        read_config(write(tmp_path, yaml.safe_dump(content)))
    assert message in [error.message for error in schema.iter_errors(content)][0]


def test_the_json_schema_of_a_study_describes_its_keys():
    keys = json_schema(StudyConfig)["properties"]
    assert keys["seed"]["description"] == "of searches and methods."
    assert keys["detector"]["properties"]["device"]["default"] == "auto"
    assert keys["run"]["description"].startswith("How the cases are worked off")


def test_methods_at_several_numbers_of_passes_are_saved_and_read_back(tmp_path):
    methods = {"vps": {}, "drise": {}, "box": {}}
    config = config_of(tmp_path, methods=methods, passes=[30, 60, 30])
    assert list(config.methods) == ["vps@30", "drise@30", "box", "vps@60", "drise@60"]
    assert config.method("drise@60") == DRISE(masks=59)
    assert read_config(config.save(tmp_path / "again.yaml")) == config
    assert list(config_of(tmp_path, methods=methods, passes=[30]).methods) == list(methods)

"""Rules of the layout, checked on the syntax tree of every file."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers.paths import ROOT

# A wing of vps imports those before it only; the rooms of one wing may import each other.
LADDER = [
    "_version",
    "_neighbours",
    "errors",
    "core",
    "engine",
    "search",
    "sets",
    "methods",
    "results",
    "explaining",
    "metrics",
    "data",
    "report",
    "study",
    "reliance",
    "comparing",
    "grouping",
    "demo",
    "app",
    "cli",
]

# What may load detectors, so that all else works with any object that is one.
LOADING = ("tools", "vps/cli", "vps/study", "vps/demo", "vps/app")

# An adapter of this name would shadow what it wraps.
WRAPPED = {
    "detectron2",
    "groundingdino",
    "mmdet",
    "mmengine",
    "onnxruntime",
    "timm",
    "torch",
    "torchvision",
    "transformers",
    "ultralytics",
}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names that are imported, anywhere in a file; `from a import b` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            yield from (f"{dots}{node.module or ''}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> list[str]:
    return list(imported(ast.parse(path.read_text(encoding="utf-8"))))


def upward(module: str, names: list[str]) -> list[str]:
    """The imports of a module of vps that do not point down."""
    wrong = []
    for name in names:
        if name.split(".")[0] != "vps" or name == "vps.__version__":
            continue
        other = (name.split(".") + [""])[1]
        if other != module and (other not in LADDER or LADDER.index(other) > LADDER.index(module)):
            wrong.append(name)
    return wrong


def unsafe(tree: ast.AST) -> Iterator[str]:
    """Calls that would run code out of a file."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        settings = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in ("pickle.load", "pickle.loads", "joblib.load"):
            yield called
        if called == "torch.load" and settings.get("weights_only") != "True":
            yield "torch.load without weights_only=True"
        for name in ("allow_pickle", "trust_remote_code"):
            if settings.get(name, "False") != "False":
                yield f"{name}={settings[name]}"


def opens_images(tree: ast.AST) -> Iterator[str]:
    """Calls that read an image file in whatever format it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.endswith(("Image.open", ".imread", ".load_image", ".read_image")):
                yield called
        elif isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
            yield from ("PIL.Image.open" for alias in node.names if alias.name == "open")


JOINING = "detectors/wrapping/"
"""Knows all adapters: it chooses one for what is handed in."""


def is_adapter(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "detect"
        for cls in classes
        for node in cls.body
    )


@pytest.mark.parametrize("path", sources("vps"), ids=named)
def test_imports_within_vps_point_down(path):
    parts = path.relative_to(ROOT / "vps").with_suffix("").parts
    if parts == ("__init__",):
        return
    assert parts[0] in LADDER, f"say in LADDER where vps/{parts[0]} stands"
    assert not upward(parts[0], imports_of(path))


@pytest.mark.parametrize("path", sources("vps", "detectors", "tools"), ids=named)
def test_imports_are_absolute_and_only_some_know_detectors(path):
    names = imports_of(path)
    assert not [name for name in names if name.startswith(".")]
    folder = named(path).split("/")[0]
    if folder == "vps" and not named(path).startswith(LOADING):
        assert not [name for name in names if name.split(".")[0] == "detectors"]
    if folder != "tools":
        assert not [name for name in names if name.split(".")[0] == "tools"]


@pytest.mark.parametrize("path", sources("detectors"), ids=named)
def test_adapters_stand_alone(path):
    if named(path).startswith(JOINING):
        return
    adapters = {named(p)[:-3].replace("/", ".") for p in sources("detectors") if is_adapter(p)}
    own = named(path)[:-3].replace("/", ".")
    # One adapter, with two libraries that run its files.
    adapters = {a for a in adapters if (a + own).count("detectors.onnx_files.") != 2}
    for name in imports_of(path):
        target = next((a for a in adapters if name == a or name.startswith(f"{a}.")), own)
        assert target == own, f"{own} imports {name}"
    assert path.stem not in WRAPPED
    assert path.stem not in {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", sources("vps", "detectors", "tools", "tests"), ids=named)
def test_nothing_runs_code_out_of_a_file(path):
    assert not list(unsafe(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "source",
    [
        "pickle.load(f)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f, allow_pickle=True)",
        "AutoModel.from_pretrained(n, trust_remote_code=flag)",
    ],
)
def test_the_rules_catch_unsafe_calls(source):
    assert list(unsafe(ast.parse(source)))


@pytest.mark.parametrize("path", sources("vps", "detectors", "tools"), ids=named)
def test_images_are_opened_in_one_place(path):
    if named(path) != "vps/core/images.py":
        assert not list(opens_images(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "source",
    ["PIL.Image.open(f)", "Image.open(f)", "from PIL.Image import open", "cv2.imread(f)"],
)
def test_the_rules_catch_images_that_are_opened_elsewhere(source):
    assert list(opens_images(ast.parse(source)))


def test_the_rules_catch_imports_that_point_up():
    names = list(imported(ast.parse("from vps import search, core\nimport vps.cli, numpy")))
    assert upward("engine", names) == ["vps.search", "vps.cli"]
    assert upward("search", ["vps.search.greedy", "vps.engine.objective.Objective"]) == []
    assert upward("search", ["vps.nowhere"]) == ["vps.nowhere"]


def public_definitions(path: Path) -> Iterator[str]:
    """Names of functions, classes and constants that a module defines at its top level."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            # An overload is part of the function that follows it.
            if "overload" not in [ast.unparse(one) for one in node.decorator_list]:
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            # What is imported late, as an optional library, is no definition of this module.
            if node.value is not None and "require(" not in ast.unparse(node.value):
                yield from (one.id for one in targets if isinstance(one, ast.Name))


def test_each_public_name_is_defined_once():
    where: dict[str, list[str]] = {}
    for path in sources("vps", "detectors"):
        for name in public_definitions(path):
            if not name.startswith("_"):
                where.setdefault(name, []).append(named(path))
    assert not {name: places for name, places in where.items() if len(places) > 1}


@pytest.mark.parametrize("path", sources("tests"), ids=named)
def test_tests_share_by_helpers_only(path):
    wrong = [
        name
        for name in imports_of(path)
        if name.startswith("tests.") and not name.startswith(("tests.helpers", "tests.models"))
    ]
    assert not wrong


def module_files(name: str) -> list[Path]:
    path = ROOT / name.replace(".", "/")
    return [one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()]


def unresolved(text: str) -> Iterator[str]:
    """Dotted references to this project in a text that lead nowhere."""
    for found in re.findall(r"`((?:vps|detectors|tools)(?:\.\w+)+)(?=[`(\[])", text):
        parts = found.split(".")
        depth = max(
            n for n in range(1, len(parts) + 1) if n == 1 or module_files(".".join(parts[:n]))
        )
        rest = parts[depth:]
        source = "".join(
            p.read_text(encoding="utf-8") for p in module_files(".".join(parts[:depth]))
        )
        if any(not re.search(rf"\b{re.escape(part)}\b", source) for part in rest[:2]):
            yield found


@pytest.mark.parametrize("path", sources("vps", "detectors", "tools"), ids=named)
def test_dotted_references_lead_somewhere(path):
    assert not list(unresolved(path.read_text(encoding="utf-8")))


def test_the_rules_catch_references_that_lead_nowhere():
    assert list(unresolved("see `vps.core.boxes.iou` and `vps.boxes.iou`")) == ["vps.boxes.iou"]


@pytest.mark.parametrize("package", ["vps", "detectors"])
def test_no_module_is_hidden_behind_a_name_of_its_package(package):
    """`import vps.search.greedy as module` would give the function."""
    for path in sources(package):
        name = named(path.with_suffix("")).replace("/", ".")
        parent, _, stem = name.rpartition(".")
        found = vars(sys.modules.get(parent) or importlib.import_module(parent)).get(stem)
        assert found is None or isinstance(found, ModuleType), name

"""What kinds of detectors there are, without importing their libraries."""

import doctest
import importlib.metadata
import inspect
import subprocess
import sys

import pytest

import detectors
from detectors.listing import list_detectors
from detectors.registry import DETECTORS, DetectorEntry
from detectors.shared.options import COMMON
from tests.helpers.paths import ROOT

FOUND = {found.kind: found for found in detectors.available()}


def test_the_example_of_the_docstring_is_true():
    (example,) = doctest.DocTestFinder(recurse=False).find(detectors.available, "available")
    assert len(example.examples) == 6
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


def test_all_kinds_are_there_with_the_form_of_their_names():
    assert list(FOUND) == list(DETECTORS)
    for kind, found in FOUND.items():
        assert found.form.partition(":")[0] == kind
        # What needs something to load says so in its example, too.
        assert (":" in found.form) == (":" in found.example.split()[0])
        assert found.prompted == DETECTORS[kind].prompted
        assert ("--prompt" in found.example) == found.prompted


@pytest.mark.parametrize("kind", DETECTORS)
def test_options_are_those_of_the_loader(kind):
    module, function = DETECTORS[kind].loader.split(":")
    # A library may be there and unusable.
    loader = getattr(pytest.importorskip(module, exc_type=ImportError), function)
    parameters = inspect.signature(loader).parameters
    assert [(option.name, option.type, option.default) for option in FOUND[kind].options] == [
        (name, parameter.annotation, parameter.default)
        for name, parameter in parameters.items()
        if name not in COMMON
    ]


def test_what_is_missing_is_told(monkeypatch):
    entry = DetectorEntry("a:b", "rare birds", ("torch", "dodo"), "rare", "rare:x", source="X")
    monkeypatch.setitem(DETECTORS, "rare", entry)
    found = detectors.available()[-1]
    torch = importlib.metadata.version("torch")
    assert (found.kind, found.form, found.usable) == ("rare", "rare:X", False)
    assert (found.missing, found.installed) == (("dodo",), (f"torch {torch}",))
    text = (
        "rare: rare birds\n    not installed: dodo; pip install 'visual-precision-search[rare]'\n"
    )
    assert list_detectors().split("\n\n")[-1].startswith(text)


def test_no_library_is_imported():
    code = (
        "import sys, detectors; detectors.available(); "
        "print(sorted({'transformers', 'mmdet', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

import subprocess
import sys

import pytest

import vps
from tests.helpers.paths import ROOT


def test_public_names():
    assert all(hasattr(vps, name) for name in vps.__all__)
    assert vps.__version__ == "0.1.0"


def test_import_is_light():
    code = (
        "import sys, vps;"
        "print(*{'skimage', 'scipy', 'torchvision', 'matplotlib', 'transformers', 'yaml'}"
        " & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not done.stdout.strip()


@pytest.mark.parametrize("name", ["detectors.py", "detectors/__init__.py"])
def test_a_foreign_package_called_detectors_is_told_at_once(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("def list_models():\n    return []\n")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import vps"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: the package `detectors` at {path} is not the one")
    assert "pip uninstall detectors" in last


def test_no_module_stands_in_the_way_of_a_public_function():
    functions = ("detect", "explain", "explain_failure", "explain_words", "measure", "save_figure")
    code = (
        "import vps, vps.explaining.explain, vps.core.detect, vps.metrics.measures;"
        f"print(all(callable(getattr(vps, name)) for name in {functions}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
    assert set(functions) <= set(dir(vps))


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = vps.nothing

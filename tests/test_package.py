import subprocess
import sys

import vps
from tests.test_layout import ROOT


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

import pytest

from tests.helpers.benchmarks import SEED, Knowing
from vps.data.scenes.scenes import make_scene


@pytest.fixture
def scenes(monkeypatch):
    """One scene of each size, known to the detector that both benchmarks load."""
    import detectors
    from tools.benchmarks import causes

    found = {scene.layout.size: scene for scene in (make_scene(SEED, i) for i in range(30))}
    for module in (detectors, causes):
        monkeypatch.setattr(module, "load", lambda *_, **__: Knowing(found.values()))
    return list(found.values())

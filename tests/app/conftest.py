"""A page that is served, and a browser to look at it with; without them, its tests are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.helpers.colours import Colours, scene
from tests.helpers.page import workbench
from vps.app.workbench import Workbench

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.fixture(autouse=True)
def usual_colours() -> Iterator[None]:
    """The detector as it is, whatever a test has made of it."""
    yield
    Colours.delay, Colours.fails = 0.0, False
    Colours.busy = Colours.most = Colours.calls = 0


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photograph and one that is twice as large."""
    folder = tmp_path_factory.mktemp("images")
    Image.fromarray(scene()).save(folder / "blocks.png")
    Image.fromarray(scene(192, 256)).save(folder / "large.png")
    return folder


@pytest.fixture
def bench(images: Path, tmp_path: Path) -> Workbench:
    return workbench(images, tmp_path)


@pytest.fixture(scope="session")
def address(images: Path) -> Iterator[str]:
    """Where a page is served."""
    pytest.importorskip("gradio")
    from vps.app.server import ServerSettings, launch, private_folder

    with private_folder() as folder:
        from vps.app.page import Page

        page = Page(workbench(images, folder))
        yield launch(page.demo, ServerSettings(port=0), block=False)
        page.demo.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser without a network of its own: what it asks of others than the page fails."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()

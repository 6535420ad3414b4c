"""How soon the page of `vps app` explains, and how soon it answers while it does."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vps.errors import InputError

_WAIT = 300_000  # milliseconds, for a machine that is busy

# Ticks "Draw" until the server's answer shows, in milliseconds, until the search is over.
_ROUND_TRIPS = """async (most) => {
  const box = [...document.querySelectorAll('input[type=checkbox]')]
    .find(one => one.closest('label')?.innerText.includes('Draw'));
  const drawing = () => !!document.querySelector('.vps-viewer.vps-drawing');
  const taken = [];
  while (taken.length < most && !document.querySelector('#at-step img')) {
    const wanted = !drawing(), start = performance.now();
    box.click();
    while (drawing() !== wanted) await new Promise(resolve => setTimeout(resolve, 2));
    taken.push(performance.now() - start);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return taken;
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--image", default="scene-0.png", help="of the demo's scenes")
    parser.add_argument("--label", default="buoy", help="the detection that is clicked")
    parser.add_argument("--trips", type=int, default=10, help="round trips while it searches")


def run(arguments: argparse.Namespace) -> None:
    """Print seconds and milliseconds."""
    begun = time.monotonic()
    with served() as server, browser() as opened:
        print(f"started, detector loaded: {time.monotonic() - begun:.1f} s")
        page = visit(opened, server.address, width=1240, height=1010)
        choose(page, arguments.image)
        clicked, used = time.monotonic(), server.processor_seconds()
        page.locator(".vps-box", has_text=arguments.label).first.click()
        page.locator("#maps img").first.wait_for()
        print(f"from the click to the first map: {time.monotonic() - clicked:.1f} s")
        taken = page.evaluate(_ROUND_TRIPS, arguments.trips)
        page.locator("#at-step img").first.wait_for()
        spent, used = time.monotonic() - clicked, server.processor_seconds() - used
        print(f"from the click to the explanation: {spent:.1f} s, {used:.1f} s of the processors")
        if taken:
            middle, most = statistics.median(taken), max(taken)
            print(f"{len(taken)} answers meanwhile: median {middle:.0f} ms, at most {most:.0f} ms")


@dataclass(frozen=True)
class Server:
    """`vps app` in a process of its own.

    Attributes:
        address: where it listens.
        process: its number.
    """

    address: str
    process: int

    def processor_seconds(self) -> float:
        """What all its threads have computed so far, which others on the machine do not change."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(*arguments: str) -> Iterator[Server]:
    """`vps app`, while the block runs.

    Raises:
        InputError: it ended before it listened.
    """
    command = [sys.executable, "-m", "vps.cli.entry", "app", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("open http"):
                    yield Server(line.split()[1], process.pid)
                    return
            raise InputError("`vps app` has ended: what it said stands above")
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright, while the block runs.

    Raises:
        InputError: one of them is not there.
    """
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError as error:
        raise InputError(f"{error}; make test-app installs what drives the page") from error
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        raise InputError("no chromium was found: apt install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def visit(opened: Any, address: str, *, width: int, height: int) -> Any:
    """A tab with the page, once it shows detections."""
    page = opened.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(_WAIT)
    page.goto(address)
    page.locator(".vps-box").first.wait_for()
    return page


def choose(page: Any, image: str) -> None:
    """Choose one of the listed images, and wait for its detections."""
    field = page.get_by_label("Image", exact=True)
    if field.input_value() == image:
        return
    before = page.locator(".vps-viewer img").get_attribute("src")
    field.click()
    page.get_by_role("option", name=image, exact=True).click()
    page.wait_for_function(
        "before => document.querySelector('.vps-viewer img')?.src !== before"
        " && document.querySelector('.vps-box')",
        arg=before,
    )

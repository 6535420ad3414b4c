"""The pictures of the page that README and docs show, as `vps app` and chromium draw them.

python tools/page_pictures.py out/pictures
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that a checkout works before it is installed

from PIL import Image  # noqa: E402

from tools.benchmarks.page import browser, choose, served, visit  # noqa: E402
from vps.core.images import read_image  # noqa: E402

WIDE, HIGH = 1240, 1010
MISSED = ("scene-6.png", "wheel", (131, 123, 170, 162))
"""An object of the demo's scenes that the detector does not find: image, label, box."""


def main() -> None:
    """Draw all of them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with served() as server, browser() as opened:
        page = visit(opened, server.address, width=WIDE, height=HIGH)
        page.locator(".vps-box", has_text="buoy").click()
        explained(page)
        shoot(page, folder / "page.png", 1000)
        ask_for_missed(page)
        shoot(page, folder / "page_missed.png", 1000)
        phone = visit(opened, server.address, width=390, height=1380)
        phone.locator(".vps-box", has_text="buoy").click()
        phone.locator("#maps img").first.wait_for()
        phone.wait_for_timeout(2500)
        shoot(phone, folder / "page_phone.png", 390)


def explained(page: Any) -> None:
    """Wait until everything that an explanation brings is on the page."""
    page.locator("#at-step img").first.wait_for()
    page.locator("button:has-text('Picture (.png)'):enabled").wait_for()


def ask_for_missed(page: Any) -> None:
    """Draw the box of an object that was missed, and ask why."""
    image, label, (x1, y1, x2, y2) = MISSED
    choose(page, image)
    page.get_by_label("Draw").check()
    page.locator(".vps-drawing").wait_for()
    page.get_by_label("Its label").click()
    page.get_by_role("option", name=label, exact=True).click()
    page.evaluate("scrollTo(0, 0)")
    shown = page.locator(".vps-viewer img")
    frame = shown.bounding_box()
    scale = frame["width"] / shown.evaluate("one => one.naturalWidth")
    page.mouse.move(frame["x"] + scale * x1, frame["y"] + scale * y1)
    page.mouse.down()
    page.mouse.move(frame["x"] + scale * x2, frame["y"] + scale * y2, steps=5)
    page.mouse.up()
    page.get_by_text("Choose its label and ask").wait_for()
    page.get_by_role("button", name="Why was it missed?").click()
    explained(page)


def shoot(page: Any, path: Path, width: int) -> None:
    """Save what is on the screen, in few colours."""
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # transitions
    page.screenshot(path=path)
    image = Image.fromarray(read_image(path))
    height = round(image.height * width / image.width)
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    few = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()

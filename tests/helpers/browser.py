"""A visitor of the page in the browser."""

from __future__ import annotations

from typing import Any

WAIT = 60_000  # milliseconds, for a machine that is busy


class Tab:
    """A tab of the browser that looks at the page, and what it asked the network for."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.context = browser.new_context(accept_downloads=True, **settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.wrong: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        self._address = address
        # Nothing but the page is to be had.
        self.context.route(
            lambda url: not url.startswith((address, "data:", "blob:")), lambda one: one.abort()
        )
        self.page.goto(address)
        self.boxes.first.wait_for()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.wrong.append(f"foreign {request.url}")

    def _failed(self, request: Any) -> None:
        # The stream of events, which the page itself closes when it has heard enough.
        if "/queue/data" not in request.url:
            self.wrong.append(f"failed {request.url} {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status} {response.url}")

    @property
    def boxes(self) -> Any:
        return self.page.locator(".vps-box")

    def text(self, part: str) -> str:
        return self.page.locator(f"#{part}").inner_text()

    def says(self, part: str, text: str) -> None:
        """Wait until a part of the page has a text."""
        self.page.locator(f"#{part}").get_by_text(text).first.wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def explained(self) -> None:
        """Wait for the end of an explanation."""
        self.page.locator("#at-step img").first.wait_for()

    def map(self) -> str:
        """The picture of the map, as its address."""
        found = self.page.locator("#maps img")
        return found.first.get_attribute("src") if found.count() else ""

    def maps_until_the_end(self) -> list[str]:
        """The different pictures that the map goes through."""
        seen = [""]
        while not self.page.locator("#at-step img").count():
            now = self.map()
            if now != seen[-1]:
                seen.append(now)
            self.page.wait_for_timeout(50)
        return [*filter(None, seen)]

    def upload(self, path: Any) -> None:
        self.page.locator("input[type=file]").first.set_input_files(path)

"""What all pages are made of."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import Any

import gradio as gr

Changes = dict[Any, Any]
"""What an event changes: components, and their new values."""

BLOCKS: dict[str, Any] = {
    "title": "vps",
    "analytics_enabled": False,
    "delete_cache": (3600, 3600),  # seconds: how often, and from which age on, files are removed
}
FAST: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""Of events that are answered at once."""

SLOW: dict[str, Any] = {
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""Of events whose computations wait for their turn."""


def resource(name: str) -> str:
    """A file of this package."""
    return files("vps.app").joinpath(name).read_text(encoding="utf-8")


def title_part(title: str, about: str) -> Any:
    """The head of a page."""
    text = f"<h1>{html.escape(title)}</h1><p>{html.escape(about)}</p>"
    return gr.HTML(text, elem_classes="vps-page")


def heading_part(text: str) -> Any:
    """The head of a part of a page."""
    return gr.HTML(f"<h2>{html.escape(text)}</h2>", elem_classes="vps-page")


def viewer_part() -> Any:
    """The image with its boxes, see `viewer.js`: it tells of "choose" and "drawn"."""
    return gr.HTML(
        value={},
        html_template='<div class="vps-viewer"></div>',
        js_on_load=resource("viewer.js"),
        elem_id="viewer",
    )

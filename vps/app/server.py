"""Serves the page: on this machine only, unless it is told otherwise, and without the network."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vps.core.extras import require
from vps.errors import InputError, one_line

LOCAL = ("127.0.0.1", "localhost", "::1")
_SWITCH = 0.001  # seconds; 0.005 is Python's own
USER = "vps"
"""The name that goes with the password."""


@dataclass(frozen=True)
class ServerSettings:
    """Where the page is, and for whom.

    Attributes:
        host: the address that it listens at.
        port: 0 for any that is free.
        password: that visitors are asked for, with the name "vps"; None for nobody.
        max_upload: the most megabytes of a file that is sent.
    """

    host: str = LOCAL[0]
    port: int = 7860
    password: str | None = None
    max_upload: int = 40

    def warning(self) -> str | None:
        """What to say of a page that others can open."""
        if self.host in LOCAL:
            return None
        open_to = f"everybody who reaches {self.host} can use this page and its computer's time"
        if self.password is None:
            return f"{open_to}: set a password (--password), or leave out --host"
        return f"{open_to} with the password, which is sent unencrypted: use it behind HTTPS"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for uploads and downloads, which is gone when the page is.

    Gradio reads from the environment, when it is imported, where its files go and whether it tells
    its makers that it runs.
    """
    folder = Path(tempfile.mkdtemp(prefix="vps-app-"))
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def launch(demo: Any, settings: ServerSettings, *, block: bool = True) -> str:
    """Serve a page until Ctrl-C.

    Args:
        demo: a `gradio.Blocks`.
        settings: where and for whom.
        block: whether to come back only when it ends.

    Returns:
        Its address.

    Raises:
        InputError: the address cannot be listened at.
    """
    gr = require("gradio", extra="app")
    from vps.app.parts import resource

    # A search computes in short steps, between which the page has to get its turn soon.
    sys.setswitchinterval(_SWITCH)
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    auth = None if settings.password is None else (USER, settings.password)
    try:
        _, address, _ = demo.queue(default_concurrency_limit=None).launch(
            server_name=settings.host,
            server_port=settings.port or None,
            auth=auth,
            share=False,
            quiet=True,
            inbrowser=False,
            prevent_thread_lock=True,
            max_file_size=f"{settings.max_upload}mb",
            footer_links=[],
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            theme=gr.themes.Base(primary_hue="blue", **fonts).set(
                body_text_color_subdued="*neutral_600",
                body_text_color_subdued_dark="*neutral_300",
                block_info_text_color="*neutral_600",
            ),
            css=resource("page.css"),
        )
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise InputError(
            f"{where} cannot be listened at: {one_line(error)}; choose another --port"
        ) from error
    print(f"open {address} in a browser; Ctrl-C ends it", flush=True)
    if block:
        demo.block_thread()
    return str(address)

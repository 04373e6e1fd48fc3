"""The browser that reports are tested and measured in."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The path of the browser; empty where there is none."""
    wanted = os.environ.get("S3CONFORM_CHROMIUM", "")
    return wanted or next(filter(None, map(shutil.which, NAMES)), "")

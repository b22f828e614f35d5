"""`dlexplain doctor`: what is installed here, what is wrong with it, and what to do about each fault."""

from __future__ import annotations

import shutil


def find_chromium() -> str | None:
    """Path of the system's Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)

"""One Chromium and one JupyterLab for all browser tests; what was seen stays as pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from .laboratory import Laboratory, laboratory

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def browser(chromium_options: dict[str, object]) -> Iterator[Browser]:
    """The system's Chromium, without the calls home that a browser makes for itself."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(**{**chromium_options, "args": _QUIET})
        yield found
        found.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: `DLEXPLAIN_SHOTS`, or a folder of the run."""
    chosen = os.environ.get("DLEXPLAIN_SHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, shots: Path) -> Iterator[Laboratory]:
    """A running JupyterLab."""
    with laboratory(tmp_path_factory.mktemp("lab"), shots) as running:
        yield running


@pytest.fixture
def open_lesson(lab: Laboratory, browser: Browser) -> Callable:
    """`with open_lesson("00_start_here") as (notebook, watch)`: the students' notebook (with
    `solutions=True` the teachers'), copied, in JupyterLab, all of it run. The rest: see `Laboratory.open`."""

    def opening(name: str, *, solutions: bool = False, **options):
        source = _ROOT / "notebooks" / ("solutions" if solutions else "") / f"{name}.ipynb"
        shutil.copy(source, lab.folder / source.name)
        return lab.open(browser, source.name, **options)

    return opening

"""`make lab` on a machine that never ran Jupyter: the lesson stands there, and nobody is asked anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .laboratory import free_port, wait_for, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_ROOT = Path(__file__).parents[2]
_TOKEN = "first-visit"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the server of `make lab` answers; it runs in a copy, with a home where nothing is yet."""
    copy, home = tmp_path / "dlexplain", tmp_path / "home"
    (copy / "notebooks").mkdir(parents=True)
    home.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "notebooks/00_start_here.ipynb"):
        shutil.copy(_ROOT / name, copy / name)
    shutil.copytree(_ROOT / ".jupyter", copy / ".jupyter")
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".installed").touch()
    port = free_port()
    flags = [
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={_TOKEN}",
        "--ServerApp.allow_root=True",
    ]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "XDG_"))}
    log = tmp_path / "lab.log"
    with log.open("w") as heard:
        server = subprocess.Popen(
            ["make", "lab", f"BIN={Path(sys.executable).parent}", f"LAB_FLAGS={' '.join(flags)}"],
            cwd=copy,
            env={**inherited, "HOME": str(home), "PYTHONPATH": str(_ROOT)},
            stdout=heard,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, _TOKEN, server, log)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # make and its server
            server.wait(timeout=30)


def test_a_first_visit_asks_nothing_and_calls_nobody(address: str, browser: Browser, shots: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, watch = watched(context)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if re.search(r"/lab/api/(news|update)", r.url) else None)
    try:
        page.goto(f"{address}/lab/tree/00_start_here.ipynb?token={_TOKEN}", timeout=60_000)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=90_000)
        page.wait_for_timeout(2_000)  # the question came about a second after the page stood
        page.screenshot(path=shots / "first_visit.png")
        assert page.locator(".Toastify__toast").all_inner_texts() == []
        assert page.locator(".jp-Dialog").all_inner_texts() == []
        assert asked == []
        shown = page.locator("body").inner_text()  # what the tests bring along is not for learners
        assert not re.search("nbgrader|Create Assignment|Validate", shown, re.IGNORECASE)
        watch.clean()
    finally:
        context.close()


def test_the_server_itself_has_no_news_and_no_updates(address: str) -> None:
    """Even if a page asks, nothing leaves the machine: both answers come from the settings."""

    def answer(path: str) -> dict[str, object]:
        request = urllib.request.Request(address + path, headers={"Authorization": f"token {_TOKEN}"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    assert answer("/lab/api/news") == {"news": []}
    assert answer("/lab/api/update") == {"notification": None}
    page = urllib.request.urlopen(f"{address}/lab?token={_TOKEN}", timeout=20).read().decode()
    assert re.search(r'"news":\s*{"disabled":\s*true}', page)

"""A real JupyterLab on a folder of its own, and a page in it that is watched: what it logs and what it
asks for."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import nbformat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route

# What JupyterLab itself logs as an error, with the reason why that is no fault of ours.
ALLOWED = {
    r"/lsp/": "the language-server extension asks for servers that are not installed",
    r"favicon": "the busy favicon of another base path",
    r"ResizeObserver loop": "a layout notice of the browser, without effect",
    r"(?i)could not (find|determine) (kernel )?(spec|theme)": "a workspace asks before the list is loaded",
    r"api/(me|workspaces|contents/.*/checkpoints)": "a first visit: there is nothing saved to find",
    r"static/schemas": "Lab looks for settings that an extension does not bring",
}
_LOCAL = {"127.0.0.1", "localhost", "::1"}


@dataclass
class Watch:
    """What a page did that it should not."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def clean(self) -> None:
        """Asserts that nothing was logged as an error and nothing was asked of the network."""
        assert not self.outside, f"the page asked the network for: {self.outside}"
        assert not self.errors, "the browser logged:\n" + "\n".join(self.errors)


def axe_faults(page: Page) -> list[tuple[str, str, str]]:
    """What axe-core's rules of accessibility find on a page: the rule, the first place, what to do."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in found]


def watched(context: BrowserContext, extra_allowed: tuple[str, ...] = ()) -> tuple[Page, Watch]:
    """A new page of `context`; every request beyond this machine is refused and written down."""
    watch = Watch()

    def gate(route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("file", "data", "blob", "about") or parts.hostname in _LOCAL:
            route.continue_()
        else:
            watch.outside.append(request.url)
            route.abort()

    allowed = [re.compile(pattern) for pattern in (*ALLOWED, *extra_allowed)]

    def heard(kind: str, text: str) -> None:
        if not any(pattern.search(text) for pattern in allowed):
            watch.errors.append(f"{kind}: {text}")

    context.route("**/*", gate)
    page = context.new_page()
    page.on(
        "console",
        lambda m: heard("console", f"{m.text} ({m.location.get('url', '')})") if m.type == "error" else None,
    )
    page.on("pageerror", lambda error: heard("uncaught", f"{error.name}: {error.message}\n{error.stack}"))
    return page, watch


@dataclass(frozen=True)
class Laboratory:
    """A running server; `folder` is what it shows."""

    url: str
    token: str
    folder: Path
    shots: Path

    def notebook(self, name: str, cells: list[str]) -> str:
        """Writes a notebook of code cells; a cell that starts with `%%md` holds text. Returns its name."""
        book = nbformat.v4.new_notebook(
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                "language_info": {"name": "python"},
            }
        )
        book.cells = [
            nbformat.v4.new_markdown_cell(cell.removeprefix("%%md\n"))
            if cell.startswith("%%md\n")
            else nbformat.v4.new_code_cell(cell)
            for cell in cells
        ]
        nbformat.write(book, self.folder / name)
        return name

    @contextmanager
    def open(
        self,
        browser: Browser,
        name: str,
        *,
        dark: bool = False,
        timeout: float = 480,
        run: bool = True,
        width: int = 1280,
        height: int = 960,
        **context_options,
    ) -> Iterator[tuple[Notebook, Watch]]:
        """The notebook in a fresh context, every cell run to its end. Its kernel is ended afterwards."""
        context = browser.new_context(viewport={"width": width, "height": height}, **context_options)
        page, watch = watched(context)
        if dark:
            self._theme("JupyterLab Dark")
        try:
            page.goto(f"{self.url}/doc/tree/{quote(name)}?token={self.token}&reset", timeout=60_000)
            book = Notebook(page, self.shots, self._code_cells(name))
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
            if run:
                book.run_all(timeout)
            yield book, watch
        finally:
            context.close()
            if dark:
                self._theme("JupyterLab Light")
            self._end_kernels()

    def _code_cells(self, name: str) -> int:
        cells = nbformat.read(self.folder / name, as_version=4).cells
        return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in cells)

    def _theme(self, name: str) -> None:
        raw = json.dumps({"raw": json.dumps({"theme": name})}).encode()
        self._ask("/lab/api/settings/@jupyterlab/apputils-extension:themes", "PUT", raw)

    def _end_kernels(self) -> None:
        for session in json.loads(self._ask("/api/sessions") or b"[]"):
            self._ask(f"/api/sessions/{session['id']}", "DELETE")

    def _ask(self, path: str, method: str = "GET", data: bytes | None = None) -> bytes:
        root = self.url.rsplit("/lab", 1)[0] if self.url.endswith("/lab") else self.url
        request = urllib.request.Request(
            root + path,
            data=data,
            method=method,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()


@dataclass(frozen=True)
class Notebook:
    """An open notebook."""

    page: Page
    shots: Path
    expected: int

    @property
    def cells(self) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell")

    def run_all(self, timeout: float = 480) -> None:
        """Runs every cell, waits until the kernel has done, and fails on an error in any output."""
        status = self.page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle$"))
        status.wait_for(timeout=90_000)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self.no_errors()
            if self.finished():
                break
            self.page.wait_for_timeout(200)
        else:
            raise AssertionError(f"the notebook did not finish within {timeout:.0f} s")
        self.no_errors()

    def finished(self) -> bool:
        """Whether as many cells have a number as the file has code cells, and none still waits."""
        prompts = self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_inner_texts()
        return sum(re.search(r"\[\d+\]", prompt) is not None for prompt in prompts) >= self.expected

    def no_errors(self) -> None:
        """Fails on an error in any output."""
        found = self.page.locator(
            ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'] , "
            ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']"
        )
        texts = [text for text in found.all_inner_texts() if "Traceback" in text or "Error" in text]
        assert not texts, "a cell failed:\n" + "\n".join(texts)

    def shot(self, name: str) -> Path:
        """A picture of the whole page."""
        path = self.shots / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def shot_cells(self, stem: str) -> list[Path]:
        """A picture of each cell, whole: the window grows to the tallest seen so far."""
        paths, size = [], self.page.viewport_size
        tallest = size["height"]
        for i in range(self.cells.count()):
            cell = self.cells.nth(i)
            height = int(cell.evaluate("(node) => node.getBoundingClientRect().height")) + 200
            if height > tallest:
                # Every figure of the notebook is laid out anew when the window changes: rarely, then.
                tallest = height
                self.page.set_viewport_size({"width": size["width"], "height": tallest})
                self.page.wait_for_timeout(250)
            paths.append(self.shots / f"{stem}_{i:02d}.png")
            self.page.screenshot(path=paths[-1], clip=cell.evaluate(_IN_SIGHT), timeout=60_000)
        self.page.set_viewport_size(size)
        return paths


# Brings a cell into the window and gives its place there once two frames agree on it, or after ten seconds:
# Playwright's own wait gives up where a film runs or the machine is too busy to draw.
_IN_SIGHT = """async (node) => {
  node.scrollIntoView({block: "center", behavior: "instant"});
  const place = () => {
    const {x, y, width, height} = node.getBoundingClientRect();
    return {x, y: Math.max(y, 0), width, height: height + Math.min(y, 0)};
  };
  const frame = () => Promise.race([
    new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 500))]);
  let last = place();
  for (const began = performance.now(); performance.now() - began < 10_000; ) {
    await frame();
    await frame();
    const now = place();
    if (JSON.stringify(now) === JSON.stringify(last)) return now;
    last = now;
  }
  return last;
}"""


@contextmanager
def laboratory(base: Path, shots: Path) -> Iterator[Laboratory]:
    """Starts `jupyter lab` with a home, settings and workspaces of its own, and ends it."""
    folder = base / "work"
    for part in ("work", "home", "config", "data", "runtime", "settings", "workspaces"):
        (base / part).mkdir(parents=True, exist_ok=True)
    shots.mkdir(parents=True, exist_ok=True)
    port, token = free_port(), "dlexplain-test"
    settings = {
        "@jupyterlab/apputils-extension": {
            "notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
        },
        # Cells out of sight must be drawn too, or a test cannot find them.
        "@jupyterlab/notebook-extension": {"tracker": {"windowingMode": "none"}},
        "@jupyterlab/extensionmanager-extension": {"plugin": {"disclaimed": False, "enabled": False}},
    }
    for extension, plugins in settings.items():
        (base / "settings" / extension).mkdir(parents=True, exist_ok=True)
        for plugin, values in plugins.items():
            (base / "settings" / extension / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values))
    root = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "HOME": str(base / "home"),
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(base / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces"),
        "IPYTHONDIR": str(base / "home" / ".ipython"),
        "JUPYTER_PLATFORM_DIRS": "0",
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=",
        "--LabApp.extension_manager=readonly",
        "--ServerApp.allow_root=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log = (base / "lab.log").open("w")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, token, server, base / "lab.log")
        yield Laboratory(url, token, folder, shots)
    finally:
        server.terminate()
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, token: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def find_browser() -> str | None:
    """The system's Chromium, if there is one; Playwright's own otherwise."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

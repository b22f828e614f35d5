"""Both widgets in a real JupyterLab."""

from __future__ import annotations

import pytest
from .laboratory import Laboratory
from .networks import TWINS
from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_first(lab: Laboratory, browser: Browser) -> None:
    import os
    shim = os.environ.get("SHIM", "")
    lab.notebook("a.ipynb", [shim + TWINS, "dlx.widgets.ExplanationExplorer(models, pictures[1500:1530], labels=labels[1500:1530], class_names=names)", "dlx.widgets.DrawingBoard(models)"])
    with lab.open(browser, "a.ipynb") as (book, watch):
        book.page.wait_for_timeout(2000)
        book.shot("first")
        book.shot_cells("first")
        watch.clean()

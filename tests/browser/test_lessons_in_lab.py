"""Lessons as a learner meets them: opened in a real JupyterLab, run from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.lessons, pytest.mark.xdist_group("browser")]

# The handful that between them use every kind of figure and widget.
HANDFUL = ("00", "02", "04", "05", "13", "18")
_SOURCES = sorted((Path(__file__).parents[2] / "notebooks" / "source").glob("*.py"))
_NAMES = [path.stem for path in _SOURCES if path.stem[:2] in HANDFUL]
assert len(_NAMES) == len(HANDFUL), f"notebooks/source holds {_NAMES} of the lessons {', '.join(HANDFUL)}"


@pytest.mark.parametrize("name", _NAMES)
def test_a_lesson_runs_in_jupyterlab(name: str, open_lesson: Callable) -> None:
    with open_lesson(name, solutions=True) as (notebook, watch):
        notebook.page.wait_for_timeout(1500)
        assert len(notebook.shot_cells(f"lesson_{name}")) == notebook.cells.count()
        watch.clean()

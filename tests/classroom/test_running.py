"""A lesson's run fails on whatever a reader would stumble over, and passes what is well."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dlexplain.classroom import building
from dlexplain.classroom.running import Budget, Run, run
from dlexplain.errors import InputError

pytestmark = [pytest.mark.slow, pytest.mark.lessons]
WIDGETS = "import ipywidgets as widgets\n"
SWALLOW = "except OSError:\n    pass"


@pytest.fixture
def lecture(tmp_path: Path) -> Callable[..., Run]:
    def go(*cells: str, **options: object) -> Run:
        path = tmp_path / "lecture.ipynb"
        path.write_text(
            building.notebook("\n\n".join(f"# %%\n{cell}" for cell in cells), 0), encoding="utf-8"
        )
        return run(path, **options)  # type: ignore[arg-type]

    return go


def test_a_good_lesson_passes_with_its_figures(lecture: Callable[..., Run]) -> None:
    done = lecture(
        "import numpy as np\naccuracy = np.float32(0.5)\ncurve = np.arange(3)\nbig = np.zeros(10**6)",
        WIDGETS + "moved = []\nslider = widgets.IntSlider(min=2, max=6, value=3, description='steps')\n"
        "slider.observe(lambda change: moved.append(change['new']), 'value')\nslider",
        "choice = widgets.Dropdown(options=[('one', 1), ('two', 2)])\nbox = widgets.Checkbox()\n"
        "span = widgets.FloatRangeSlider(min=0, max=1)\nseveral = widgets.SelectMultiple(options='abc')\n"
        "text = widgets.Text()\nwidgets.VBox([choice, box, span, several, text])",
        "out = widgets.Output()\nwith out:\n    print('inside')\nout",
        expressions={"twice": "accuracy * 2", "names": "sorted({'b', 'a'})"},
    )
    assert done.faults == ()
    assert done.value("accuracy") == 0.5
    assert done.value("curve") == [0, 1, 2]
    assert done.value("twice") == 1.0
    assert done.value("names") == ["a", "b"]
    assert done.value("moved") == []
    assert done.sweep["controls"] == 6
    assert len(done.cells) == 4
    assert done.cpu_seconds > 0
    assert done.peak_memory_bytes > 2e7
    assert done.without_twin == (1, 2, 3)
    with pytest.raises(InputError, match="no plain value 'big'"):
        done.value("big")
    assert "curve = " in re.sub("<[^>]*>", "", done.html("dark"))


def test_a_lesson_runs_where_a_loop_runs_already(lecture: Callable[..., Run]) -> None:
    """As in a notebook's cell, and in a test beside an open browser."""

    async def inside() -> Run:
        return lecture("answer = 6 * 7", expressions={"answer": "answer"})

    done = asyncio.run(inside())
    assert not done.faults
    assert done.value("answer") == 42


def test_a_control_is_moved_over_its_whole_range(lecture: Callable[..., Run]) -> None:
    told = "def tell(change):\n    raise ValueError(f'at {change[\"new\"]}')\n"
    done = lecture(
        WIDGETS + told + "s = widgets.IntSlider(min=2, max=6, value=3)\ns.observe(tell, 'value')\ns"
    )
    assert {fault.split("ValueError: ")[1] for fault in done.faults} == {"at 2", "at 4", "at 6", "at 3"}
    done = lecture(
        WIDGETS + told + "s = widgets.ToggleButtons(options=list('abc'))\ns.observe(tell, 'value')\ns"
    )
    assert {fault.split("ValueError: ")[1] for fault in done.faults} == {"at a", "at b", "at c"}


FAULTS = {
    "an error in a cell": ("x = 1 / 0", "ZeroDivisionError: division by zero"),
    "interact over a raising function": (
        WIDGETS + "@widgets.interact(a=(0, 5))\ndef show(a):\n    raise ValueError('boom')",
        "in a widget's output: ValueError: boom",
    ),
    "interact that raises at its end only": (
        WIDGETS + "@widgets.interact(a=(0, 5))\ndef show(a):\n    [1, 2, 3, 4, 5][a]",
        "IntSlider 'a', at 5: IndexError",
    ),
    "an error caught by an output": (
        WIDGETS + "with widgets.Output():\n    raise ValueError('boom')",
        "in a widget's output: ValueError: boom",
    ),
    "a button that raises": (
        WIDGETS + "b = widgets.Button(description='go')\nb.on_click(lambda _: 1 / 0)\nb",
        "Button 'go', pressed: ZeroDivisionError",
    ),
    "a button that a button makes": (
        WIDGETS
        + "def make(_):\n    if not box.children:\n        inner = widgets.Button(description='inner')\n"
        "        inner.on_click(lambda _: 1 / 0)\n        box.children = [inner]\n"
        "box = widgets.VBox()\nb = widgets.Button(description='outer')\nb.on_click(make)\nb",
        "Button 'inner', pressed: ZeroDivisionError",
    ),
    "a callback run by a cell": (
        WIDGETS + "b = widgets.Button()\nb.on_click(lambda _: 1 / 0)\nb.click()",
        "cell 0 (import ipywidgets as widgets): ZeroDivisionError",
    ),
    "a step of a widget's own sweep": (
        WIDGETS + "class Pad(widgets.HTML):\n    def sweep(self):\n"
        "        return [lambda: None, lambda: 1 / 0]\nPad()",
        "Pad, step 2: ZeroDivisionError",
    ),
    "an error in a thread": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
        "prints a traceback that ends in ZeroDivisionError",
    ),
    "a connection that is asked for and swallowed": (
        "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.org')\n" + SWALLOW,
        "asked the network for example.org",
    ),
    "a connection by number": (
        "import socket\ntry:\n    socket.create_connection(('203.0.113.1', 80), 1)\n" + SWALLOW,
        "asked the network for 203.0.113.1",
    ),
    "a connection from a child": (
        "import subprocess, sys\ncode = 'import socket; socket.getaddrinfo(\"example.org\", 80)'\n"
        "subprocess.run([sys.executable, '-c', code], stderr=subprocess.DEVNULL)",
        "asked the network for example.org",
    ),
    "a widget that leaves others behind": (
        WIDGETS + "kept = []\nb = widgets.Button(description='more')\n"
        "b.on_click(lambda _: kept.append(widgets.HTML()))\nb",
        "widgets more in the kernel",
    ),
    "a figure widget": (
        "import plotly.graph_objects as go\ngo.FigureWidget([go.Scatter(y=[1, 2])])",
        "a FigureWidget stands in the lesson",
    ),
    "a kernel that dies": ("import os\nos._exit(3)", "the kernel was lost"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_run_fails_on(name: str, lecture: Callable[..., Run]) -> None:
    code, fragment = FAULTS[name]
    done = lecture(code)
    assert any(fragment in fault for fault in done.faults), done.faults


BUDGETS = {
    "memory": (
        "x = bytearray(400_000_000)",
        Budget(memory_bytes=2e8),
        "bytes of memory; 200,000,000 are allowed",
    ),
    "memory given back": (
        "x = bytearray(120_000_000)\nx[::4096] = b'1' * len(x[::4096])\ndel x",
        Budget(memory_bytes=1.5e8),
        "bytes of memory; 150,000,000 are allowed",
    ),
    "bytes": (
        "print('x' * 1_000_000)",
        Budget(notebook_bytes=900_000),
        "bytes as a notebook; 900,000 are allowed",
    ),
    "processor": ("sum(i * i for i in range(10**7))", Budget(cpu_seconds=0.05), "seconds of processor"),
    "time without end": ("import time\ntime.sleep(60)", Budget(timeout=2), "not done after 2 s"),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_budget_is_held(name: str, lecture: Callable[..., Run]) -> None:
    code, budget, fragment = BUDGETS[name]
    done = lecture(code, budget=budget)
    assert any(fragment in fault for fault in done.faults), done.faults


def test_a_runaway_is_ended(lecture: Callable[..., Run]) -> None:
    grow = "x = []\nwhile True:\n    x.append(b'1' * 10_000_000)\n    time.sleep(0.01)"
    done = lecture("import time\n" + grow, budget=Budget(memory_bytes=2e8))
    assert any("it took more than" in fault for fault in done.faults), done.faults


def test_talk_within_the_machine_is_allowed(lecture: Callable[..., Run]) -> None:
    done = lecture(
        "import socket, threading\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\nsocket.getaddrinfo('localhost', 80)\n"
        "pair = socket.socketpair()"
    )
    assert done.faults == ()


def test_an_error_that_a_lesson_shows_on_purpose_is_let_pass(tmp_path: Path) -> None:
    path = tmp_path / "lecture.ipynb"
    path.write_text(building.notebook('# %% tags=["raises-exception"]\n1 / 0\n\n# %%\nafter = 1\n', 0))
    done = run(path)
    assert done.faults == ()
    assert done.value("after") == 1


def test_the_rest_of_a_broken_lesson_is_not_run(lecture: Callable[..., Run]) -> None:
    done = lecture("1 / 0", "print('later')")
    assert len(done.cells) == 0
    assert "later" not in str(done.notebook["cells"][1].get("outputs"))


CARDS = """
import sys
sys.path.insert(0, {folder!r})
from conftest import lesson_of_the_tests
from dlexplain.classroom import Desk
lesson = Desk(lesson_of_the_tests())
lesson
"""


def test_the_classrooms_own_cards_stand_the_sweep(lecture: Callable[..., Run]) -> None:
    done = lecture(
        CARDS.format(folder=str(Path(__file__).parent)),
        "lesson.predict('share')",
        "lesson.reveal('share', 0.9)",
        "lesson.predict('where')",
        "lesson.reveal('where', 'west')",
        "lesson.check('double', 42)",
        "lesson.hint('double')",
        "lesson.order('loop')",
        "lesson.quiz()",
        "lesson.progress()",
    )
    assert done.faults == ()
    assert done.without_twin == ()
    kept = done.progress["lesson_97"]
    assert kept["exercises"]["double"]["passed"]
    assert kept["predictions"]["share"]["actual"] == 0.9
    assert kept["predictions"]["where"]["actual"] == "west"
    assert set(kept["quiz"]) == {"once", "twice"}
    assert "You predicted" in done.html()

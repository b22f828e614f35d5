"""Every lesson found: its notebooks are what its source makes, leak nothing, and run within their budgets."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlexplain.classroom import building
from dlexplain.classroom.executed import Executed
from dlexplain.classroom.lessons import declared, numbers
from dlexplain.classroom.running import Run
from dlexplain.classroom.site.contents import Entry, used
from dlexplain.classroom.site.pages import lesson_page
from dlexplain.classroom.teaching.slides import slides_page

ROOT = Path(__file__).resolve().parents[2]
SOURCES = building.sources(ROOT)
EACH = [pytest.param(path, id=path.stem) for path in SOURCES]
CALLS = {"exercises": "check", "predictions": "predict", "orders": "order"}


def _number(source: Path) -> int:
    return int(source.name[:2])


def test_every_source_has_its_declarations_and_the_other_way_round() -> None:
    assert [_number(path) for path in SOURCES] == numbers()


def test_the_notebooks_are_in_step_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert building.command_check(ROOT) == 0, capsys.readouterr().out


@pytest.mark.parametrize("source", EACH)
def test_no_solution_reaches_the_students(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines()
    regions = building.regions(text, source.name)
    assert regions, "a lesson without a solution has no exercise"
    students = (ROOT / "notebooks" / source.with_suffix(".ipynb").name).read_text(encoding="utf-8")
    seen = {
        line.strip().removeprefix("# ")
        for cell in json.loads(students)["cells"]
        for line in "".join(cell["source"]).splitlines()
    }
    for region in regions:
        for line in lines[region.first + 1 : region.last]:
            bare = line.strip().removeprefix("# ")
            if len(bare) > 3:
                assert bare not in seen, f"{source.name}: students see the solution's line {bare!r}"
    assert "SOLUTION" not in students


@pytest.mark.parametrize("source", EACH)
@pytest.mark.parametrize("folder", [".", "solutions"])
def test_a_notebook_holds_no_output_state_or_foreign_metadata(source: Path, folder: str) -> None:
    book = json.loads((ROOT / "notebooks" / folder / source.with_suffix(".ipynb").name).read_text(encoding="utf-8"))
    assert set(book) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert book["metadata"] == {"kernelspec": building.KERNEL, "language_info": {"name": "python"}}
    for cell in book["cells"]:
        assert set(cell["metadata"]) <= set(building.KEPT_METADATA)
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert "attachments" not in cell


@pytest.mark.parametrize("source", EACH)
def test_the_page_uses_all_that_is_declared(source: Path) -> None:
    lesson = declared(_number(source))
    called: dict[str, set[object]] = {}
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = called.setdefault(node.func.attr, set())
            names.update(each.value for each in node.args[:1] if isinstance(each, ast.Constant))
    for part, method in CALLS.items():
        assert set(getattr(lesson, part)) <= called.get(method, set()), f"declared, and not on the page: {part}"
    assert set(lesson.predictions) <= called.get("reveal", set())
    assert {"quiz", "glossary", "sources"} <= set(called)


@pytest.mark.parametrize("source", EACH)
def test_a_lesson_holds_all_that_a_lesson_holds(source: Path) -> None:
    lesson, text = declared(_number(source)), source.read_text(encoding="utf-8")
    assert len(lesson.exercises) >= 3
    assert len(lesson.predictions) >= 3
    assert len(lesson.quiz) >= 3
    assert lesson.orders
    assert lesson.glossary
    assert lesson.sources
    assert lesson.goals
    back = {number for number, _ in lesson.recall}
    assert len(lesson.recall) >= min(2, lesson.number)
    assert all(number < lesson.number for number in back)
    for part in (
        "keras",
        "torch",
        "<details>",
        "## In five lines",
        "lesson.glossary()",
        "lesson.sources()",
        "lesson.progress()",
    ):
        assert part in text, f"{source.name} lacks {part}"


@pytest.mark.slow
@pytest.mark.lessons
@pytest.mark.parametrize("source", EACH)
def test_the_first_picture_comes_within_fifteen_seconds(source: Path, run_lesson: Callable[..., Run]) -> None:
    done = run_lesson(_number(source), "students")
    shown = [cell.index for cell in done.cells if _is_picture(done.notebook["cells"][cell.index])]
    used = sum(cell.cpu_seconds for cell in done.cells if cell.index <= shown[0])
    assert used <= 30, f"{used:.0f} s of processor, which are 15 s on two cores"


@pytest.mark.slow
@pytest.mark.lessons
@pytest.mark.parametrize("source", EACH)
def test_a_page_and_slides_come_of_its_run(source: Path, run_lesson: Callable[..., Run]) -> None:
    lesson, done = declared(_number(source)), run_lesson(_number(source), "students")
    executed = Executed(lesson.number, source.stem, (), dict(done.notebook))
    entry = Entry(lesson, source.stem, used(source))
    page, slides = lesson_page(executed, entry, [entry]), slides_page(executed, lesson)
    outputs = [output for cell in done.notebook["cells"] for output in cell.get("outputs", ())]
    figures = sum("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs)
    assert page.count('class="dlexplain-figure') == figures
    assert page.count("Hint 1: a nudge") == len(lesson.exercises)
    assert slides.count("<section") >= figures + len(lesson.predictions) + len(lesson.quiz) + 1
    assert "$$" not in page, "mathematics was left as dollars"
    assert len(page) < 3_000_000


def _is_picture(cell: dict) -> bool:
    data = [output.get("data", {}) for output in cell.get("outputs", ())]
    pages = "".join(str(each.get("text/html", "")) for each in data)
    return any("application/vnd.plotly.v1+json" in each or "image/png" in each for each in data) or any(
        sign in pages for sign in ("<svg", "<img", "<canvas", "background:rgb")
    )


@pytest.mark.slow
@pytest.mark.lessons
@pytest.mark.parametrize("source", EACH)
def test_the_teachers_notebook_runs(source: Path, run_lesson: Callable[..., Run]) -> None:
    number = _number(source)
    done = run_lesson(number)
    assert not done.faults, done.summary()
    assert not done.sweep["cut_short"], "more controls than a sweep can move"
    assert not done.without_twin, f"cells {done.without_twin} show a widget without a static twin"
    kept = done.progress[f"lesson_{number:02d}"]
    lesson = declared(number)
    assert all(kept["exercises"].get(name, {}).get("passed") for name in lesson.exercises), kept["exercises"]
    assert set(kept["predictions"]) == set(lesson.predictions)
    assert set(lesson.quiz) <= set(kept["quiz"])


@pytest.mark.slow
@pytest.mark.lessons
@pytest.mark.parametrize("source", EACH)
def test_the_students_notebook_runs_with_every_exercise_skipped(source: Path, run_lesson: Callable[..., Run]) -> None:
    done = run_lesson(_number(source), "students")
    assert not done.faults, done.summary()
    kept = done.progress.get(f"lesson_{_number(source):02d}", {"exercises": {}})
    assert not [name for name, entry in kept["exercises"].items() if entry.get("tries")], "a placeholder was judged"

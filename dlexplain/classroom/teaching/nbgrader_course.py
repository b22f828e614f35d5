"""The lessons as a course that nbgrader reads: its source notebooks, with an autograded test below each exercise."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlexplain.classroom.building import BEGIN, END, root, student_text
from dlexplain.classroom.executed import notebooks
from dlexplain.errors import InputError

_CHECK = re.compile(r"^lesson\.check\(\s*[\"'](\w+)[\"'].*?\)\s*\Z", re.DOTALL | re.MULTILINE)
_SCHEMA = 3
_CONFIG = f'''c = get_config()
c.CourseDirectory.course_id = "dlexplain"
c.ClearSolutions.begin_solution_delimeter = "{BEGIN.removeprefix("### ")}"
c.ClearSolutions.end_solution_delimeter = "{END.removeprefix("### ")}"
c.ClearSolutions.code_stub = {{"python": "# Your code here"}}
c.ExecutePreprocessor.timeout = 600
'''


def nbgrader_course(out: Path, *, only: Sequence[int] = (), folder: Path | None = None) -> list[Path]:
    """Writes `nbgrader_config.py` and `source/NN_title/NN_title.ipynb`; InputError where one is there already."""
    paths = notebooks(folder or root(), only, solutions=True)
    written = [out / "source" / path.stem / path.name for path in paths]
    there = [path for path in (out / "nbgrader_config.py", *written) if path.exists()]
    if there:
        raise InputError(f"{there[0]} is there already. Name a new folder, so that nothing of your course is lost.")
    for path, target in zip(paths, written, strict=True):
        target.parent.mkdir(parents=True)
        book = graded(json.loads(path.read_text(encoding="utf-8")))
        target.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "nbgrader_config.py").write_text(_CONFIG, encoding="utf-8")
    return written


def graded(book: dict[str, Any]) -> dict[str, Any]:
    """A teachers' notebook with nbgrader's metadata: answers to clear, and a locked test of one point behind each."""
    cells: list[dict[str, Any]] = []
    for cell in book["cells"]:
        source = "".join(cell["source"])
        cells.append(cell)
        if BEGIN not in source:
            continue
        found = _CHECK.search(source)
        name = found[1] if found else f"answer-{len(cells)}"
        text = cell["cell_type"] == "markdown"
        if not text:
            cell["source"] = _with_placeholders(source)
        cell["metadata"] = {**cell["metadata"], "nbgrader": _told(name, solution=True, grade=text)}
        if found:
            test = f"# one point\nassert {source[found.start() :].strip()}.passed"
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"test-{name}".replace("_", "-")[:64],
                    "metadata": {"nbgrader": _told(f"test-{name}", solution=False, grade=True)},
                    "source": test,
                    "outputs": [],
                    "execution_count": None,
                }
            )
    return {**book, "cells": cells}


def _with_placeholders(source: str) -> str:
    """`name = ...` above a solution: without an answer the cell says so, and the notebook runs on."""
    stripped = student_text(f"# %%\n{source}").splitlines()
    put = [line for line in stripped if line.endswith(" = ...") and not line[0].isspace()]
    lines = source.splitlines()
    at = next((k for k, line in enumerate(lines) if line == BEGIN), None)  # one in a function stands indented
    return source if at is None else "\n".join([*lines[:at], *put, *lines[at:]])


def _told(name: str, *, solution: bool, grade: bool) -> dict[str, Any]:
    told = {
        "schema_version": _SCHEMA,
        "grade_id": name,
        "grade": grade,
        "solution": solution,
        "locked": grade and not solution,
        "task": False,
    }
    return {**told, "points": 1} if grade else told

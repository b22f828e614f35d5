"""The exercises of a lesson's page: their text, the code they begin with, the solution."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from dlexplain.classroom import building

_CHECK = re.compile(r"^\s*lesson\.check\(\s*[\"'](\w+)[\"']")
_EXERCISE = re.compile(r"\*\*Exercise.*", re.DOTALL)
_CELL = re.compile(r"^# %%.*$", re.MULTILINE)


@dataclass(frozen=True)
class Task:
    """An exercise as it stands on the page. `given`: the lines of its cell above the solution; `indent`: of the solution."""

    text: str
    given: str
    solution: str
    indent: str = ""


def tasks(source: str) -> dict[str, Task]:
    """The exercises of a lesson's source, by name, in the order of the page."""
    found: dict[str, Task] = {}
    said: list[str] = []
    for cell, head in zip(_CELL.split(source)[1:], _CELL.findall(source), strict=True):
        if "[markdown]" in head:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in cell.strip().splitlines())
            begins = _EXERCISE.search(text)
            # An exercise may go on over several cells of text, with a figure between them; a heading ends it.
            said = [begins[0]] if begins else [text] if text.startswith("## ") else [*said, text]
            continue
        lines = cell.splitlines()
        names = [match[1] for line in lines if (match := _CHECK.match(line))]
        if not names:
            continue
        parts = building.regions(f"# %%\n{cell}")
        solved = [line for part in parts for line in lines[part.first : part.last - 1]]
        given = lines[: parts[0].first - 1] if parts else []
        text = "\n\n".join(said).partition("\n<details>")[0]
        for name in names:
            found[name] = Task(
                text, "\n".join(given).strip("\n"), textwrap.dedent("\n".join(solved)), parts[0].indent if parts else ""
            )
        said = []
    return found

"""From one source to two notebooks: solutions stay with the teachers, one source, one result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlexplain.classroom import building
from dlexplain.errors import InputError

SOURCE = """\
# ---
# jupyter:
#   secret: in the header
# ---

# %% [markdown]
# # Title
# ### BEGIN SOLUTION
# The word is hippopotamus.
# ### END SOLUTION

# %% tags=["wide"] answer="hippopotamus"
# %matplotlib inline
text = 1


# %%
def area(width, height):
    # Think of a rectangle.
    ### BEGIN SOLUTION
    product = width * height
    return product
    ### END SOLUTION


# %%
### BEGIN SOLUTION
hidden = 41
total, (first, rest) = hidden + 1, (1, 2)
for step in range(3):
    total += step
import math as mathematics
### END SOLUTION
lesson.check("total", total, first=first, square=[step for step in range(3)])
mathematics

# %% [markdown]
# The end.
"""


def _cells(book: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(book)["cells"]]


def _checkout(tmp_path: Path, **sources: str) -> Path:
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)
    for name, text in sources.items():
        (folder / f"{name.removeprefix('n')}.py").write_text(text, encoding="utf-8")
    return tmp_path


def test_students_get_placeholders_for_the_names_that_are_read() -> None:
    cells = _cells(building.notebook(building.student_text(SOURCE), 3))
    assert cells[0] == "# Title\n*Your answer here.*"
    assert cells[2].endswith("    # Think of a rectangle.\n    # Your code here\n    return ...")
    assert cells[3].splitlines()[:5] == [
        "# Your code here",
        "total = ...",
        "first = ...",
        "step = ...",
        "mathematics = ...",
    ]
    assert cells[-1] == "The end."


@pytest.mark.parametrize(
    "secret", ["hippopotamus", "hidden", "41", "product", "SOLUTION", "header", "as math"]
)
def test_nothing_of_a_solution_reaches_the_students(secret: str) -> None:
    assert secret not in building.notebook(building.student_text(SOURCE), 3)


def test_teachers_get_the_whole_source_and_no_metadata() -> None:
    book = building.notebook(building.teacher_text(SOURCE), 3)
    assert "return product" in book
    assert '"answer"' not in book
    assert "header" not in book
    assert json.loads(book)["cells"][1]["metadata"] == {"tags": ["wide"]}
    assert json.loads(book)["metadata"] == {
        "kernelspec": building.KERNEL,
        "language_info": {"name": "python"},
    }


def test_students_code_runs_with_every_exercise_skipped() -> None:
    text = building.student_text(SOURCE).replace("# %matplotlib inline", "")
    seen = {}

    class Lesson:
        def check(self, name: str, answer: object, **given: object) -> None:
            seen[name] = answer

    exec(text, {"lesson": Lesson()})
    assert seen == {"total": ...}


def test_the_same_source_gives_the_same_bytes_and_distinct_ids() -> None:
    twice = SOURCE + "\n# %%\nprint(1)\n\n# %%\nprint(1)\n"
    books = [building.notebook(building.student_text(twice), 3) for _ in range(2)]
    assert books[0] == books[1]
    ids = [cell["id"] for cell in json.loads(books[0])["cells"]]
    assert len(set(ids)) == len(ids)


def test_an_edit_leaves_the_ids_of_other_cells() -> None:
    before = json.loads(building.notebook(SOURCE, 3))["cells"]
    after = json.loads(building.notebook("# %%\nnew = 1\n\n" + SOURCE.split("# ---\n\n", 1)[1], 3))["cells"]
    assert [cell["id"] for cell in after[1:]] == [cell["id"] for cell in before]


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("# %%\n### BEGIN SOLUTION\nx = 1\n", 2, "never closed"),
        ("# %%\n### BEGIN SOLUTION\nx = 1\n# %%\n### END SOLUTION\n", 2, "not closed in its cell"),
        ("# %%\nx = 1\n### END SOLUTION\n", 3, "without"),
        (
            "# %%\n### BEGIN SOLUTION\nx = 1\n### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION\n",
            4,
            "inside",
        ),
        ('# %%\nx = """\n### BEGIN SOLUTION\nsecret\n### END SOLUTION\n"""\n', 3, "inside a string"),
        ("# %%\nx = 1  ### BEGIN SOLUTION\n### END SOLUTION\n", 2, "alone on its line"),
        ("# %%\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n", 2, "looks like"),
        ("# %%\n### BEGIN SOLUTON\nx = 1\n### END SOLUTON\n", 2, "looks like"),
        ("# %%\n###BEGIN SOLUTION\nx = 1\n###END SOLUTION\n", 2, "looks like"),
        ("# %%\n### begin solution\nx = 1\n### end solution\n", 2, "looks like"),
        ("# %%\n### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS\n", 2, "looks like"),
        ("# %%\nif 1:\n    ### BEGIN SOLUTION\n    x = 1\n### END SOLUTION\n", 5, "not indented like"),
        ("# %%\nif 1:\n### BEGIN SOLUTION\n    x = 1\n### END SOLUTION\n", 4, "whole statements"),
        ("# %%\nx = (\n", 2, "not Python"),
        ('# %% [markdown]\n"""\n### BEGIN SOLUTION\nsecret\n### END SOLUTION\n"""\n', 3, "inside a string"),
    ],
)
def test_a_marker_that_is_not_in_order_is_an_error_that_names_its_line(
    source: str, line: int, words: str
) -> None:
    for build in (building.student_text, building.teacher_text):
        if build is building.teacher_text and words == "whole statements":
            continue
        with pytest.raises(InputError, match=rf"07_x\.py, line {line}: .*{words}"):
            build(source, "07_x.py")


def test_building_twice_writes_once_and_check_sees_every_edit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = _checkout(tmp_path, n03_title=SOURCE)
    assert building.command_check(root) == 1
    assert building.command_build(root) == 0
    assert building.command_check(root) == 0
    students = root / "notebooks" / "03_title.ipynb"
    first = students.read_bytes(), students.stat().st_mtime_ns
    assert building.command_build(root) == 0
    assert (students.read_bytes(), students.stat().st_mtime_ns) == first
    students.write_bytes(first[0].replace(b"Title", b"title"))
    capsys.readouterr()
    assert building.command_check(root) == 1
    assert "notebooks/03_title.ipynb" in capsys.readouterr().out
    (root / "notebooks" / "source" / "03_title.py").rename(root / "notebooks" / "source" / "03_other.py")
    building.command_build(root)
    assert building.command_check(root) == 1
    assert "no source for notebooks/03_title.ipynb" in capsys.readouterr().out


def test_nothing_is_written_when_one_source_is_at_fault(tmp_path: Path) -> None:
    root = _checkout(tmp_path, n03_good=SOURCE, n04_bad="# %%\n### BEGIN SOLUTION\n")
    with pytest.raises(InputError, match=r"04_bad\.py, line 2"):
        building.command_build(root)
    assert not list((root / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("names", [("3_title",), ("03_Title",), ("03_a", "03_b")])
def test_a_badly_named_source_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    root = _checkout(tmp_path, **{f"n{name}": "# %%\n1\n" for name in names})
    with pytest.raises(InputError):
        building.command_build(root)

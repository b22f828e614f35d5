"""For teachers: papers, slides, a class set, collection and marking, nbgrader."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlexplain.classroom import building, lessons, running
from dlexplain.classroom.executed import Executed
from dlexplain.classroom.progress import RECORD
from dlexplain.classroom.teaching import class_set as class_set_module
from dlexplain.classroom.teaching.class_set import class_set
from dlexplain.classroom.teaching.command import write_papers
from dlexplain.classroom.teaching.guide import Guide, guide
from dlexplain.classroom.teaching.handed_in import handed_in
from dlexplain.classroom.teaching.marking import collect
from dlexplain.classroom.teaching.nbgrader_course import nbgrader_course
from dlexplain.classroom.teaching.papers import guide_page, workbook_page
from dlexplain.classroom.teaching.slides import WORDS, shortened, slides_page
from dlexplain.classroom.teaching.tasks import tasks
from dlexplain.errors import DataError, InputError

ROOT = Path(__file__).parents[2]
SOURCES = {int(path.name[:2]): path for path in sorted((ROOT / "notebooks" / "source").glob("*.py"))}
SHORT = """
# %% [markdown]
# # 00 · Start here
#
# ## Look
#
# Few words.

# %%
import dlexplain as dlx

lesson = dlx.classroom.lesson(0)
lesson

# %% [markdown]
# **Exercise 1.** What share is right?

# %%
# scores and labels are the check's own example
### BEGIN SOLUTION
share = 0.8
### END SOLUTION
lesson.check("share_right", share)

# %%
lesson.progress()
"""


@pytest.mark.parametrize("number", lessons.numbers())
def test_every_lesson_has_a_guide_that_fits_the_bell(number: int) -> None:
    told = guide(number)
    assert sum(minutes for minutes, _ in told.short) == 45
    assert sum(minutes for minutes, _ in told.long) == 90
    assert min(minutes for minutes, _ in told.short) >= 2


@pytest.mark.parametrize("number", lessons.numbers())
def test_the_guide_answers_and_the_workbook_does_not(number: int) -> None:
    lesson, source = lessons.declared(number), SOURCES[number]
    found = tasks(source.read_text(encoding="utf-8"))
    assert set(found) == set(lesson.exercises)
    assert all(task.solution.strip() for task in found.values())
    guided, sheets = guide_page(number, source), workbook_page(number, source)
    assert "BEGIN SOLUTION" not in guided + sheets
    for question in lesson.quiz.values():
        right = f"<li class='yes'>{question.answer.split('`')[0][:12]}"
        assert right.replace("&", "&amp;").replace("<=", "&lt;=")[:16] in guided
    assert "class='yes'" not in sheets
    assert all(hint not in sheets for each in lesson.exercises.values() for hint in each.hints)
    assert sheets.count("☐") >= sum(len(each.choices) for each in lesson.quiz.values())


def test_an_exercise_keeps_all_its_text_and_what_it_is_given() -> None:
    source = """
# %% [markdown]
# ## Before
# Of no account.

# %% [markdown]
# Told.
# **Exercise 1.** First.

# %%
figure()

# %% [markdown]
# Second.

# %%
def f(a):
    b = 2 * a
    ### BEGIN SOLUTION
    return b + 1
    ### END SOLUTION
lesson.check("f", f)

# %%
given = 3
### BEGIN SOLUTION
answer = given
### END SOLUTION
lesson.check("g", answer)
"""
    found = tasks(source)
    assert found["f"].text == "**Exercise 1.** First.\n\nSecond."
    assert found["f"].given == "def f(a):\n    b = 2 * a"
    assert found["f"].solution == "return b + 1"
    assert (found["g"].given, found["g"].solution) == ("given = 3", "answer = given")


def test_a_plan_that_does_not_fill_its_lesson_is_refused() -> None:
    fine = guide(8)
    with pytest.raises(InputError, match="44 minutes"):
        Guide(((44, "all"),), fine.long, fine.misconceptions, fine.questions)
    with pytest.raises(InputError, match="three misconceptions"):
        Guide(fine.short, fine.long, fine.misconceptions[:2], fine.questions)


def test_slides_hold_few_words_and_no_code() -> None:
    book = {"cells": [
        {"cell_type": "markdown", "source": "# T\n\n## One\n\n" + "lemon " * 30 + "\n\n" + "orange " * 30},
        {"cell_type": "code", "source": "secret_code()\nlesson.predict('accuracy')", "outputs": []},
        {"cell_type": "code", "source": "figure()", "outputs": [
            {"output_type": "display_data",
             "data": {"application/vnd.plotly.v1+json": {}, "text/html": "<p>drawn</p>", "text/plain": ""}}]},
    ]}  # fmt: skip
    page = slides_page(Executed(0, "00", (), book), lessons.declared(0))
    assert "secret_code" not in page
    assert page.count("lemon ") == 29  # the last has no space behind it
    assert "orange " not in page
    assert "<p>drawn</p>" in page
    assert page.index("Predict first") < page.index("<p>drawn</p>") < page.index("What do you remember?")


def test_a_picture_made_of_html_gets_a_slide_and_a_control_does_not() -> None:
    def shown(data: dict[str, object]) -> str:
        outputs = [{"output_type": "display_data", "data": data}]
        book = {"cells": [{"cell_type": "code", "source": "f()", "outputs": outputs}]}
        return slides_page(Executed(0, "00", (), book), lessons.declared(0))

    strip = {"text/html": '<div role="img" aria-label="Four moments">the strip</div>', "text/plain": "Four moments"}
    assert "the strip" in shown(strip)
    assert "the strip" not in shown({**strip, "application/vnd.jupyter.widget-view+json": {}})
    assert "a note" not in shown({"text/html": '<p>a note, with <i role="img">i</i></p>', "text/plain": "a note"})


def test_a_slide_takes_whole_paragraphs() -> None:
    assert shortened("One:\n\n```\ncode\n```\n\n**Exercise 1.** Two") == "<p>One.</p>\n"
    assert len(shortened("a " * 100).split()) == 100  # the first one whatever its length
    assert len(shortened("a " * 40 + "\n\n" + "b " * 40).split()) <= WORDS


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The notebook of a lesson, answered rightly, wrongly, and not at all, as saved after a run."""
    folder = tmp_path_factory.mktemp("work")
    saved = {}
    texts = {
        "right": building.teacher_text(SHORT),
        "wrong": SHORT.replace("0.8", "3"),
        "open": building.student_text(SHORT),
    }
    for name, text in texts.items():
        path = folder / f"{name}.ipynb"
        path.write_text(building.notebook(text, 0), encoding="utf-8")
        run = running.run(path, sweep=False)
        assert not run.faults
        saved[name] = json.dumps(run.notebook)
    return saved


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "results.csv", encoding="utf-8-sig", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


def test_a_class_is_collected_into_one_table(work: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    forged = json.loads(work["wrong"])
    for cell in forged["cells"]:
        for output in cell.get("outputs", ()):
            if RECORD in output.get("data", {}):
                record = output["data"][RECORD]
                record["exercises"]["share_right"] = {"passed": True, "tries": "<b>", "hints": -4}
                record["predictions"] = {"accuracy": {"predicted": 0.5, "actual": 0.97}, "quarter": "junk"}
    put = {
        "Ada/00_start_here.ipynb": work["right"],
        "00_start_here_Ben.ipynb": work["wrong"],
        "00_start_here-cleo.ipynb": building.notebook(building.student_text(SHORT), 0),
        "=cmd()/00_start_here.ipynb": work["open"],
        "<script>alert(1)</script>.ipynb": "{}",
        "Dan/other.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "1"}]}),
        "Eve/00_start_here.ipynb": json.dumps(forged),
    }
    for name, text in put.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    collect(folder, tmp_path / "out", run=True)
    rows = rows_of(tmp_path / "out")
    assert (rows["Ada"]["exercises right"], rows["Ada"]["run again"], rows["Ada"]["tries"]) == ("1", "1", "1")
    assert (rows["Ben"]["exercises right"], rows["Ben"]["run again"]) == ("0", "0")
    assert rows["cleo"]["exercises right"] == ""
    assert "no record" in rows["cleo"]["remark"]
    assert "'=cmd()" in rows
    assert "not a notebook" in rows["<script>alert(1)<"]["remark"]
    assert "not a lesson" in rows["Dan"]["remark"]
    assert "not right when run again: share_right" in rows["Eve"]["remark"]
    assert rows["Eve"]["tries"] == "0"
    page = (tmp_path / "out" / "results.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "the middle one 0.5; the outcome was 0.97" in page


def test_without_running_the_record_alone_is_read(work: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "00_start_here_Ada.ipynb").write_text(work["right"], encoding="utf-8")
    collect(tmp_path / "in", tmp_path / "out")
    row = rows_of(tmp_path / "out")["Ada"]
    assert (row["exercises right"], row["run again"]) == ("1", "")


def test_nothing_to_collect_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No notebooks"):
        handed_in(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        handed_in(tmp_path / "nowhere")


def test_a_set_tells_whether_it_arrived_whole(tmp_path: Path) -> None:
    made = class_set(tmp_path / "set", only=[0, 5], wheels=False)
    assert sorted(path.name for path in (made / "notebooks").glob("*.ipynb")) == [
        "00_start_here.ipynb",
        "05_shap.ipynb",
    ]
    check = [sys.executable, str(made / "start.py"), "--check"]
    assert "Every file is as it was sent" in subprocess.run(check, capture_output=True, text=True, check=True).stdout
    (made / "notebooks" / "05_shap.ipynb").write_text("answered", encoding="utf-8")  # notebooks are there to be changed
    assert subprocess.run(check, capture_output=True).returncode == 0
    (made / "README.txt").write_text("torn", encoding="utf-8")
    told = subprocess.run(check, capture_output=True, text=True)
    assert told.returncode == 1
    assert "README.txt" in told.stdout


def test_a_set_carries_data_that_the_room_cannot_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = ROOT.parent / "shared" / "data"
    if not shared.exists():
        pytest.skip("needs ../shared/data, real public data that is not part of the repository")
    monkeypatch.setenv("DLEXPLAIN_DATA", str(shared / "cmapss"))
    made = class_set(tmp_path / "set", only=[8], data=["cmapss_fd001"], wheels=False)
    assert list((made / "data").rglob("train_FD001.txt"))
    environment = {
        **os.environ,
        "DLEXPLAIN_DATA": str(made / "data"),
        "XDG_CACHE_HOME": str(tmp_path),
        "DLEXPLAIN_OFFLINE": "1",
    }
    code = "import dlexplain as dlx; print(len(dlx.data.load('cmapss_fd001').inputs))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 20_000


def test_what_cannot_be_put_in_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'mnist'"):
        class_set(tmp_path / "a", data=["mnits"], wheels=False)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty"):
        class_set(tmp_path / "b", wheels=False)
    assert (tmp_path / "b" / "kept.txt").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b"]


def small_checkout(folder: Path) -> Path:
    """A checkout whose package is as light as a package can be, and whose `jupyter` writes down how it was called."""
    extras = "\n".join(f"{name} = []" for name in class_set_module.EXTRAS.split(","))
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "dlexplain"\nversion = "0.0.1"\n[project.optional-dependencies]\n' + extras
        + '\n[tool.hatch.build.targets.wheel]\ninclude = ["dlexplain", "jupyter.py"]\n',
        "requirements.lock": "",
        "dlexplain/__init__.py": "",
        "dlexplain/cli.py": "import sys; assert sys.argv[1:] == ['doctor', '--guard-kernels']",
        "jupyter.py": "import json, os, sys; print(json.dumps([sys.argv, os.environ['DLEXPLAIN_DATA']]))",
        "notebooks/00_start_here.ipynb": "{}",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_one_script_installs_from_the_wheels_and_opens_the_lessons(tmp_path: Path) -> None:
    made = class_set(tmp_path / "set", folder=small_checkout(tmp_path / "checkout"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_") and k != "PYTHONPATH"}
    for _ in range(2):  # the second time nothing is installed
        done = subprocess.run(
            [sys.executable, str(made / "start.py"), "--no-browser", "--port", "8899"],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        arguments, data = json.loads(done.stdout.splitlines()[-1])
        assert arguments[1:] == ["lab", "--no-browser", "--port", "8899", str(made / "notebooks")]
        assert data.split(os.pathsep)[0] == str(made / "data")
    assert "Installing" not in done.stdout


def test_wheels_that_cannot_be_gathered_leave_no_folder(tmp_path: Path) -> None:
    checkout = small_checkout(tmp_path / "checkout")
    (checkout / "pyproject.toml").write_text("broken", encoding="utf-8")
    with pytest.raises(DataError, match="pip could not gather the wheels"):
        class_set(tmp_path / "set", folder=checkout)
    assert not (tmp_path / "set").exists()


@pytest.mark.slow
def test_nbgrader_makes_an_assignment_and_grades_it(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "notebooks" / "source").mkdir(parents=True)
    (checkout / "notebooks" / "source" / "00_start_here.py").write_text(SHORT, encoding="utf-8")
    assert building.command_build(checkout) == 0
    course = tmp_path / "course"
    nbgrader_course(course, folder=checkout)
    command = [sys.executable, "-m", "nbgrader"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DLEXPLAIN_HOME": str(tmp_path / "home"),
    }

    def nbgrader(*words: str) -> None:
        done = subprocess.run([*command, *words], cwd=course, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    nbgrader("generate_assignment", "00_start_here", "--create")
    released = (course / "release" / "00_start_here" / "00_start_here.ipynb").read_text(encoding="utf-8")
    assert "0.8" not in released
    assert "share = ..." in released
    for learner, answer in (("ada", "share = 0.8"), ("ben", "share = 3")):
        handed = course / "submitted" / learner / "00_start_here" / "00_start_here.ipynb"
        handed.parent.mkdir(parents=True)
        handed.write_text(released.replace("# Your code here", answer), encoding="utf-8")
    nbgrader("autograde", "00_start_here", "--create")
    nbgrader("export", "--to", str(tmp_path / "grades.csv"))
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {"ada": (1.0, 1.0), "ben": (0.0, 1.0)}


def test_a_course_is_not_written_over(tmp_path: Path) -> None:
    nbgrader_course(tmp_path, only=[5])
    with pytest.raises(InputError, match="is there already"):
        nbgrader_course(tmp_path, only=[5])


def test_papers_lead_to_each_other(tmp_path: Path) -> None:
    assert write_papers(tmp_path, [8], slides=False) == 0
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="08_predictive_maintenance_guide.html"' in index
    assert "slides" not in index
    assert (tmp_path / "08_predictive_maintenance_workbook.html").exists()

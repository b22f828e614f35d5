"""Each lesson is run once a test session, whatever the number of tests and workers that look at the run."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlexplain.classroom import building
from dlexplain.classroom.running import Run, run

ROOT = Path(__file__).resolve().parents[2]
SOURCES = building.sources(ROOT) if (ROOT / "notebooks" / "source").is_dir() else []
STUDENTS, TEACHERS = "students", "teachers"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLEXPLAIN_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def run_lesson(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """`run_lesson(4)`: the run of the teachers' notebook; `run_lesson(4, "students")`: of the students'.

    What is run is made from the source as it is now, so that a stale notebook cannot pass.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # the workers of xdist have one parent
    folder = shared / "lesson-runs"
    folder.mkdir(exist_ok=True)

    def once(number: int, reader: str = TEACHERS) -> Run:
        source = next((path for path in SOURCES if int(path.name[:2]) == number), None)
        if source is None:
            pytest.fail(f"there is no notebooks/source/{number:02d}_*.py")
        texts = {path.parent.name == "solutions": text for path, text in building.built(source).items()}
        text = texts[reader == TEACHERS]
        key = f"{source.stem}-{reader}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        with _alone(folder / f"{key}.lock"):
            kept = folder / f"{key}.pickle"
            if kept.exists():
                return pickle.loads(kept.read_bytes())
            (folder / key).mkdir(exist_ok=True)
            book = folder / key / f"{source.stem}.ipynb"
            book.write_text(text, encoding="utf-8")
            done = run(book, sweep=reader == TEACHERS, folder=ROOT / "notebooks")
            print(done.summary())
            kept.write_bytes(pickle.dumps(done))
            return done

    return once


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: two workers may run the same lesson; slower, and right
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

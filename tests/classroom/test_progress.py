"""A learner's record: local, whole after every write, and never lost."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from dlexplain.classroom.progress import Progress, home


def _try(progress: Progress, name: str = "a") -> None:
    progress.update("exercises", name, lambda entry: entry.update(tries=entry.get("tries", 0) + 1))


def _many(folder: Path, name: str) -> None:
    progress = Progress(1, folder)
    for _ in range(25):
        _try(progress, name)


def test_the_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLEXPLAIN_HOME", str(tmp_path / "mine"))
    assert home() == tmp_path / "mine"
    monkeypatch.delenv("DLEXPLAIN_HOME")
    assert home().name == "dlexplain"


def test_reading_writes_nothing(tmp_path: Path) -> None:
    assert Progress(1, tmp_path / "p").read()["exercises"] == {}
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"schema": 1, "exer',
        b"\xff\xfe\x00",
        b"[]",
        b'{"schema": 99, "exercises": {}, "predictions": {}, "quiz": {}, "orders": {}}',
        b'{"schema": 1, "exercises": [], "predictions": {}, "quiz": {}, "orders": {}}',
        b'{"schema": 1, "exercises": {"a": 3}, "predictions": {}, "quiz": {}, "orders": {}}',
    ],
)
def test_an_unreadable_record_is_moved_aside_whole_and_said(tmp_path: Path, content: bytes) -> None:
    progress = Progress(1, tmp_path)
    progress.path.write_bytes(content)
    with pytest.warns(UserWarning, match="It was kept as"):
        _try(progress)
    [aside] = tmp_path.glob("*.unreadable-*.json")
    assert aside.read_bytes() == content
    assert json.loads(progress.path.read_text())["exercises"]["a"] == {"tries": 1}


def test_a_record_spoilt_while_the_notebook_runs_loses_nothing(tmp_path: Path) -> None:
    progress = Progress(1, tmp_path)
    _try(progress)
    progress.path.write_text("{")
    with pytest.warns(UserWarning, match="could not be read"):
        _try(progress)
    assert progress.read()["exercises"]["a"]["tries"] == 2


def test_a_write_cut_short_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(1, tmp_path)
    _try(progress)
    before = progress.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        _try(progress)
    assert progress.path.read_bytes() == before
    assert progress.read()["exercises"]["a"]["tries"] == 2
    assert [path.suffix for path in tmp_path.iterdir()].count(".part") == 0


def test_a_home_that_cannot_be_written_is_said_once_and_the_lesson_goes_on(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "file").write_text("not a folder")
    progress = Progress(1, tmp_path / "file" / "progress")
    _try(progress)
    _try(progress)
    assert progress.read()["exercises"]["a"]["tries"] == 2
    assert len([warning for warning in recwarn if "DLEXPLAIN_HOME" in str(warning.message)]) == 1


@pytest.mark.skipif(
    os.name == "nt", reason="without fcntl, simultaneous writers are not kept apart on Windows"
)
def test_notebooks_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_many, args=(tmp_path, name)) for name in ("a", "a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert Progress(1, tmp_path).read()["exercises"] == {"a": {"tries": 50}, "b": {"tries": 25}}

"""A folder to carry into a room without internet: notebooks, data, wheels, papers, and one script that starts."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from dlexplain.classroom.building import root
from dlexplain.classroom.executed import notebooks
from dlexplain.data.entries import Entry
from dlexplain.data.fetch import obtain
from dlexplain.data.listing import ENTRIES
from dlexplain.errors import DataError, InputError, suggest

EXTRAS = "keras,torch,shap,captum,data,audit,lab"  # what lessons import; the tests' packages stay at home
_READ = """\
The lessons of dlexplain, to be opened without the internet.

1. Copy this folder to the computer.
2. Install Python {python} if it is not there (the wheels are for {python} on {platform}).
3. In this folder, run:  python start.py
   The first time it installs from wheels/ and takes some minutes; then JupyterLab opens.

Answers are kept on the computer where they are given, and sent nowhere. To hand in: run the last cell of a
notebook, save it, and give the file notebooks/NN_title.ipynb to the teacher.
"""


def class_set(
    out: Path,
    *,
    only: Sequence[int] = (),
    data: Sequence[str] = (),
    wheels: bool = True,
    platform: Sequence[str] = (),
    python: str | None = None,
    folder: Path | None = None,
) -> Path:
    """Write the folder `out`, which must not exist or be empty.

    `data`: names of the catalogue whose files are on this machine or can be fetched now. `platform`, `python`: pip's
    names of the learners' system and Python's version, where they are not this machine's. Raises InputError, DataError.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty. Name a new folder, so that nothing in it is lost.")
    folder = folder or root()
    chosen = notebooks(folder, only)
    entries = [_downloaded(name) for name in data]
    with tempfile.TemporaryDirectory(prefix="class-set-", dir=_parent(out)) as scratch:
        whole = Path(scratch, "set")
        (whole / "notebooks").mkdir(parents=True)
        (whole / "data").mkdir()
        for path in chosen:
            shutil.copy(path, whole / "notebooks" / path.name)
        if (folder / "notebooks" / "images").is_dir():
            shutil.copytree(folder / "notebooks" / "images", whole / "notebooks" / "images")
        for entry in entries:
            for name, path in obtain(entry).items():
                target = whole / "data" / entry.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        if (folder / ".jupyter").is_dir():
            shutil.copytree(folder / ".jupyter", whole / "settings")
        if wheels:
            _wheels(folder, whole / "wheels", platform, python)
        here = resources.files("dlexplain.classroom.teaching")
        (whole / "start.py").write_text((here / "start.py").read_text(encoding="utf-8"), encoding="utf-8")
        version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
        told = _READ.format(python=version, platform=", ".join(platform) or sys.platform)
        (whole / "README.txt").write_text(told, encoding="utf-8")
        _checksums(whole)
        if out.exists():
            out.rmdir()
        shutil.move(whole, out)
    return out


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent


def _downloaded(name: str) -> Entry:
    known = {entry.name: entry for entry in ENTRIES if entry.files}
    if name not in known:
        raise InputError(
            f"There is no data set {name!r} with files of its own. {suggest(name, known)}There are: {', '.join(known)}. "
            "What is bundled with scikit-learn or scikit-image, or generated, needs no copy."
        )
    return known[name]


def _wheels(folder: Path, out: Path, platform: Sequence[str], python: str | None) -> None:
    """The package and all that lessons need, at the versions of requirements.lock."""
    out.mkdir()
    pip = [sys.executable, "-m", "pip"]
    _run([*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(folder)])
    built = next(out.glob("dlexplain-*.whl"))
    wanted = f"dlexplain[{EXTRAS}]=={built.name.split('-')[1]}"
    (out / "wanted.txt").write_text(f"{wanted}\n", encoding="utf-8")
    elsewhere = [part for name in platform for part in ("--platform", name)]
    elsewhere += ["--python-version", python] if python else []
    elsewhere += ["--only-binary=:all:"] if elsewhere else []
    pinned = ["--constraint", str(folder / "requirements.lock")]
    _run([*pip, "download", "--quiet", "--dest", str(out), "--find-links", str(out), *pinned, *elsewhere, wanted])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        told = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise DataError(f"pip could not gather the wheels, and no folder was written. pip said:\n{told}")


def _checksums(whole: Path) -> None:
    lines = []
    for path in sorted(p for p in whole.rglob("*") if p.is_file()):
        with open(path, "rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(whole).as_posix()}\n")
    (whole / "checksums.txt").write_text("".join(lines), encoding="utf-8")

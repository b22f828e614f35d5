"""The house rules that a machine can keep: style, import arrows, no machine's paths, CI that runs what users run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from processes import ROOT


def git_files() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def offences(text: str) -> list[str]:
    """Paths of one machine and hosts of package registries in `text`."""
    homes = r"/(?:home|Users)/(?!you\b|me\b|user\b|name\b)[a-z][\w.-]*/|/root/\w"
    machine = "|".join([r"/wo" + r"rk/(?:main|shared)", r"/opt/(?:pypi|wheels)", homes])
    hosts = "|".join(
        r"[\w.-]*" + host
        for host in (r"pypi\.o" + "rg", r"pythonho" + r"sted\.org", r"download\.pyt" + r"orch\.org")
    )
    return re.findall(f"{machine}|{hosts}", text)


def lint_imports(folder) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ)


def test_the_import_arrows_hold():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_an_arrow_the_wrong_way_is_found(tmp_path):
    shutil.copytree(ROOT / "dlexplain", tmp_path / "dlexplain", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "dlexplain" / "frameworks" / "planted.py").write_text("import dlexplain.attribution\n")
    (tmp_path / "dlexplain" / "figures" / "planted.py").write_text("import torch\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert "dlexplain.frameworks.planted" in done.stdout
    assert "dlexplain.figures.planted" in done.stdout


def ruff(*paths: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--force-exclude", "--output-format", "concise"]
    command += ["--config", str(ROOT / "pyproject.toml"), *paths]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_style_is_kept_everywhere():
    done = ruff(*(name for name in git_files() if name.endswith((".py", ".pyi"))))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_a_fault_of_style_is_found(tmp_path):
    (tmp_path / "planted.py").write_text("import os\n")
    done = ruff(str(tmp_path / "planted.py"))
    assert done.returncode == 1, done.stderr
    assert "F401" in done.stdout


def test_no_file_names_one_machine_or_a_registry():
    found = {}
    for name in git_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or an archive
        if hits := offences(text):
            found[name] = hits
    assert not found


def test_the_search_for_machine_paths_finds_them():
    assert offences("see /ho" + "me/anna/data and https://pypi.o" + "rg/simple")
    assert not offences("https://github.com/someone/something and ~/data")


def test_ci_is_executable_and_runs_what_users_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    mode = subprocess.run(
        ["git", "ls-files", "-s", ".ci/run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert mode.startswith("100755")
    assert script.read_text().rstrip().splitlines()[-1] == "make test"
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_a_second_make_does_nothing(tmp_path):
    """With its stamp newer than the lists, the environment is left alone."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    (tmp_path / ".venv" / ".installed").touch()
    done = subprocess.run(["make", "install"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Nothing to be done" in done.stdout
    os.utime(tmp_path / "requirements.lock", (2**31, 2**31))
    done = subprocess.run(["make", "-n", "install"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "pip install" in done.stdout


def test_make_names_a_python_that_is_too_old(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (old / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.6" && exit 0\nexit 1\n')
        (old / name).chmod(0o755)
    done = subprocess.run(
        ["make", "lab"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{old}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or later; python3 here is: Python 3.9.6" in done.stdout
    assert not (tmp_path / ".venv").exists()

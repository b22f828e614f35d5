"""The command line: what it runs, what it answers, and errors without a traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import python, succeeded

import dlexplain
from dlexplain import cli, doctor
from dlexplain.errors import DataError


def test_the_command_is_installed_and_tells_its_version():
    command = shutil.which("dlexplain", path=str(Path(sys.executable).parent))
    assert command, "dlexplain is not installed in this environment: pip install -e ."
    out = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert out == f"dlexplain {dlexplain.__version__}\n"


def test_starting_it_brings_in_no_framework():
    code = """
import sys
from dlexplain.cli import main
try:
    main(["--help"])
except SystemExit:
    print(*(m for m in ("tensorflow", "keras", "torch", "pandas", "plotly") if m in sys.modules))
"""
    *usage, loaded = succeeded(python(code)).splitlines()
    assert any("doctor" in line for line in usage)
    assert loaded == ""


@pytest.mark.parametrize(
    "arguments", [[], ["docter"], ["data"], ["data", "get"], ["lessons", "make"], ["--x"]]
)
def test_a_wrong_command_says_how_and_ends_with_3(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 3
    assert "usage: dlexplain" in capsys.readouterr().err


def test_data_list_prints_the_catalogue(capsys):
    assert cli.main(["data", "list"]) == 0
    assert "fashion_mnist" in capsys.readouterr().out


def test_data_get_of_a_misspelt_name_suggests_the_near_one(capsys):
    assert cli.main(["data", "get", "mnits"]) != 0
    told = capsys.readouterr().err
    assert "mnist" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataError("digits.gz is cut short"), 3, "dlexplain: digits.gz is cut short\n"),
        (
            PermissionError(13, "Permission denied", "notebooks"),
            3,
            "dlexplain: [Errno 13] Permission denied: 'notebooks'\n",
        ),
        (KeyboardInterrupt(), 130, "dlexplain: interrupted\n"),
    ],
)
def test_errors_are_told_without_a_traceback(error, code, told, monkeypatch, capsys):
    def fail(findings):
        raise error

    monkeypatch.setattr(doctor, "report", fail)
    assert cli.main(["doctor"]) == code
    assert capsys.readouterr().err == told


def test_a_fault_of_our_own_is_not_hidden(monkeypatch):
    def fail(findings):
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "report", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


@pytest.mark.parametrize("status", [doctor.OK, doctor.NOTE, doctor.FAULT])
def test_doctor_ends_with_1_where_there_is_a_fault(status, monkeypatch):
    monkeypatch.setattr(doctor, "check_all", lambda: [doctor.Finding("planted", status, "so")])
    assert cli.main(["doctor"]) == (status == doctor.FAULT)


def test_lessons_build_runs_the_builder(monkeypatch):
    from dlexplain.classroom import building

    monkeypatch.setattr(building, "command_build", lambda: 7)
    assert cli.main(["lessons", "build"]) == 7

"""Each fault that the doctor knows, planted; and a sound installation, found sound."""

from __future__ import annotations

import json

import pytest

from dlexplain import doctor
from dlexplain.doctor import FAULT, NOTE, OK, Probe

SOUND = {"numpy": "2.4.6", "torch": "2.13.0+cpu", "tensorflow": "2.21.0", "keras": "3.15.1"}
REQUIREMENTS = [
    "numpy>=2.0",
    'torch>=2.6; extra == "torch"',
    'keras>=3.10; extra == "keras"',
    'tensorflow>=2.18; extra == "keras"',
    'dlexplain[keras,torch]; extra == "all"',
]


def said(findings, name):
    (finding,) = [finding for finding in findings if finding.name == name]
    return finding


def statuses(findings):
    return {finding.status for finding in findings}


def test_an_old_python_is_a_fault():
    (finding,) = doctor.check_python((3, 10, 4))
    assert (finding.status, finding.found) == (FAULT, "3.10.4")
    assert "3.11" in finding.advice


def test_what_fits_is_fine():
    assert statuses(doctor.check_requirements(REQUIREMENTS, SOUND.get)) == {OK}


def test_a_version_out_of_range_is_a_fault_with_the_command_that_mends_it():
    findings = doctor.check_requirements(REQUIREMENTS, {**SOUND, "numpy": "1.26.4"}.get)
    assert said(findings, "numpy").status == FAULT
    assert "1.26.4" in said(findings, "numpy").found
    assert said(findings, "numpy").advice == 'pip install "numpy>=2.0"'


def test_an_extra_out_of_range_is_a_fault_too():
    findings = doctor.check_requirements(REQUIREMENTS, {**SOUND, "keras": "2.15.0"}.get)
    assert said(findings, "keras").status == FAULT


def test_an_absent_dependency_is_a_fault_and_an_absent_extra_a_note():
    findings = doctor.check_requirements(REQUIREMENTS, {"keras": "3.15.1"}.get)
    assert said(findings, "dependencies").status == FAULT
    assert said(findings, "dependencies").advice == "pip install numpy"
    assert said(findings, "[torch]").status == NOTE
    assert said(findings, "[keras]").found == "missing: tensorflow"
    assert "explaining Torch models" in said(findings, "[torch]").advice


def test_running_without_being_installed_is_a_fault():
    (finding,) = doctor.check_requirements(None)
    assert finding.status == FAULT
    assert "pip install -e ." in finding.advice


def test_a_framework_that_ends_its_process_is_named_with_its_last_words():
    def probe(code):
        return Probe("", "Illegal instruction") if "tensorflow" in code else Probe("0 GPU")

    findings = doctor.check_frameworks(SOUND.get, probe)
    assert said(findings, "tensorflow").status == FAULT
    assert "Illegal instruction" in said(findings, "tensorflow").found
    assert 'dlexplain[keras]"' in said(findings, "tensorflow").advice
    assert said(findings, "torch").found == "2.13.0+cpu, 0 GPU"


def test_no_framework_at_all_is_a_fault():
    (finding,) = doctor.check_frameworks({}.get, lambda code: Probe(""))
    assert finding.status == FAULT
    assert "dlexplain[torch]" in finding.advice


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("print('first'); print('last')", ""),
        ("import sys; sys.exit('no such device')", "no such device"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with code -9"),
        ("raise ImportError('libcuda')", "ImportError: libcuda"),
    ],
)
def test_a_probe_tells_how_its_process_ended(code, fault):
    probe = doctor.run_probe(code)
    assert probe.fault == fault
    assert probe.out == ("" if fault else "last")


def test_a_probe_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    assert "no answer within 0.2 s" in doctor.run_probe("import time; time.sleep(60)").fault


def test_another_keras_backend_is_a_fault_whoever_set_it(tmp_path):
    (finding,) = doctor.check_backend({"KERAS_BACKEND": "jax"}, tmp_path, SOUND.get)
    assert finding.status == FAULT
    assert "KERAS_BACKEND" in finding.found
    config = tmp_path / ".keras" / "keras.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"backend": "torch"}))
    (finding,) = doctor.check_backend({}, tmp_path, SOUND.get)
    assert finding.status == FAULT
    assert str(config) in finding.found
    config.write_text("{")
    assert statuses(doctor.check_backend({}, tmp_path, SOUND.get)) == {FAULT}
    assert statuses(doctor.check_backend({"KERAS_BACKEND": "tensorflow"}, tmp_path, SOUND.get)) == {OK}


def test_the_default_backend_is_fine_and_without_keras_there_is_nothing_to_say(tmp_path):
    assert statuses(doctor.check_backend({}, tmp_path, SOUND.get)) == {OK}
    assert doctor.check_backend({"KERAS_BACKEND": "jax"}, tmp_path, {}.get) == []


WITH_TRITON = {**SOUND, "triton": "3.9.0"}.get


def aborting(code):
    return Probe("", "LLVM ERROR") if "guard" not in code else Probe("")


def test_triton_beside_tensorflow_is_noted_until_the_kernels_are_guarded(tmp_path):
    config = tmp_path / "etc" / "ipython_kernel_config.py"
    (finding,) = doctor.check_triton(WITH_TRITON, aborting, config)
    assert finding.status == NOTE
    assert "--guard-kernels" in finding.advice
    doctor.guard_kernels(config)
    assert statuses(doctor.check_triton(WITH_TRITON, aborting, config)) == {OK}


def test_triton_that_ends_the_process_in_spite_of_the_guard_is_a_fault(tmp_path):
    (finding,) = doctor.check_triton(
        WITH_TRITON, lambda code: Probe("", "LLVM ERROR"), tmp_path / "config.py"
    )
    assert finding.status == FAULT
    assert "LLVM ERROR" in finding.found


def test_without_triton_nothing_is_probed():
    def probe(code):
        raise AssertionError("nothing to probe")

    assert statuses(doctor.check_triton(SOUND.get, probe)) == {OK}


def test_guarding_the_kernels_keeps_what_is_set_there_and_is_done_once(tmp_path):
    config = tmp_path / "ipython_kernel_config.py"
    config.write_text("c.Own.setting = 1")
    doctor.guard_kernels(config)
    doctor.guard_kernels(config)
    lines = config.read_text().splitlines()
    assert lines[0] == "c.Own.setting = 1"
    assert lines.count(doctor.KERNEL_LINE) == 1


def test_a_widget_front_end_that_jupyterlab_cannot_find_is_a_fault(tmp_path):
    has_lab = {"jupyterlab": "4.6.6"}.get
    findings = doctor.check_jupyter(has_lab, [str(tmp_path)])
    assert said(findings, "anywidget in JupyterLab").status == FAULT
    for front_end in doctor.FRONT_ENDS.values():
        (tmp_path / front_end).mkdir(parents=True)
        (tmp_path / front_end / "package.json").write_text("{}")
    assert statuses(doctor.check_jupyter(has_lab, [str(tmp_path)])) == {OK}
    assert statuses(doctor.check_jupyter({}.get)) == {NOTE}


def test_jupyterlab_here_finds_the_front_ends():
    assert statuses(doctor.check_jupyter()) == {OK}


def test_absent_data_is_a_note_and_a_wrong_file_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DLEXPLAIN_DATA", str(tmp_path))
    assert "mnist" in said(doctor.check_data(), "data to fetch").found
    from dlexplain.data.listing import find

    entry = find("mnist")
    (tmp_path / entry.files[0].name).write_bytes(b"not a picture")
    finding = said(doctor.check_data(), "data mnist")
    assert finding.status == FAULT
    assert entry.files[0].name in finding.advice


def test_a_browser_is_asked_for_only_beside_the_test_tools():
    assert doctor.check_browser({}.get, lambda: None) == []
    with_tools = {"playwright": "1.65.2"}.get
    assert statuses(doctor.check_browser(with_tools, lambda: None)) == {NOTE}
    assert statuses(doctor.check_browser(with_tools, lambda: "/bin/chromium")) == {OK}


def test_the_report_says_what_to_do_and_its_code_tells_a_fault(capsys):
    fine, note = doctor.Finding("a", OK, "here"), doctor.Finding("b", NOTE, "absent", "fetch it")
    assert doctor.report([fine, note]) == 0
    out = capsys.readouterr().out
    assert "-> fetch it" in out
    assert "No fault found." in out
    assert doctor.report([fine, note, doctor.Finding("c", FAULT, "broken", "mend it")]) == 1
    out = capsys.readouterr().out
    assert "FAULT  c: broken\n       -> mend it" in out
    assert "1 fault." in out
